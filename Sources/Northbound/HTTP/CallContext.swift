import Base
import HTTPTypes
public import Hummingbird
import NIOCore

/// What Hummingbird carries along with a request of ours.
public struct CallContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The other end's address, without its port.
    let address: String?

    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        address = source.channel.remoteAddress?.ipAddress
    }
}
