import Base
import Fleet

/// A request of an update client that was understood and whose sender may make it.
struct DDIRequest: Sendable {
    /// Who asks.
    let device: AdmittedDevice
    /// Where the links in the answer begin.
    let base: String
    let resource: DDIResource
    /// How many texts of the history are wanted with a deployment.
    let history: Int
    /// On what conditions it is wanted.
    let conditions: DDIConditions
    /// How its body is written.
    let brings: MediaRange.Form
    /// How the answer is to be written.
    let takes: MediaRange.Form

    var documents: DDIDocuments { DDIDocuments(base: base) }
}
