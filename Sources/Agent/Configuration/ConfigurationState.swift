package import Base

/// Which desired documents are in effect on the device.
package struct ConfigurationState: Sendable, Hashable {
    /// A document with its version.
    package struct Document: Sendable, Hashable {
        /// The version by which the server knows it.
        package var version: Int64
        /// The document.
        package var document: JSONValue

        var json: JSONValue { .object(["version": .integer(version), "document": document]) }

        init?(kept json: JSONValue) {
            guard let version = json["version"]?.integer, let document = json["document"] else { return nil }
            self.init(version: version, document: document)
        }

        /// A document of this version.
        package init(version: Int64, document: JSONValue) {
            self.version = version
            self.document = document
        }
    }

    /// The document that is in effect and with which the server was reached.
    package var good: Document?
    /// The document on trial: put into effect, and not yet confirmed by a call that reached the server.
    package var trial: Document?
    /// Until when the server must be reached with it, in seconds since the device was started.
    package var deadline: Int64 = 0
    /// The run of the device in which that counts.
    package var boot = ""
    /// How often the agent was started while it was on trial.
    package var starts: Int64 = 0
    /// Whether the program that puts it into effect had not ended yet: its time begins after that.
    package var isPuttingIn = false
    /// The newest version that was tried, so that one which was rolled back is not tried again.
    package var tried: Int64 = 0
    /// What the server must still be told: how it went with the newest version.
    package var untold: JSONValue?

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "deadline": .integer(deadline), "boot": .string(boot), "starts": .integer(starts), "tried": .integer(tried),
            "puttingIn": .bool(isPuttingIn),
        ]
        members["good"] = good?.json
        members["trial"] = trial?.json
        members["untold"] = untold
        return .object(members)
    }

    init?(kept json: JSONValue) {
        guard let deadline = json["deadline"]?.integer, let tried = json["tried"]?.integer else { return nil }
        self.deadline = deadline
        self.tried = tried
        boot = json["boot"]?.string ?? ""
        starts = json["starts"]?.integer ?? 0
        isPuttingIn = json["puttingIn"] == .bool(true)
        good = json["good"].flatMap(Document.init(kept:))
        trial = json["trial"].flatMap(Document.init(kept:))
        untold = json["untold"]
    }

    /// Nothing in effect.
    package init() {}
}
