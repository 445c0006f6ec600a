import Base
public import Hummingbird
import Logging
import NIOCore
public import SignIn

/// Marks identifiers of requests.
enum RequestKind {}

/// What Hummingbird carries along with a request of ours.
public struct CallContext: RequestContext {
    /// The library's own part.
    public var coreContext: CoreRequestContextStorage
    /// The request's identifier, in the answer and in the log. The library's own is read back out of the logger, and
    /// traps with a log handler that drops metadata.
    public let id: String
    /// The caller's address, without its port: the other end's, or what trusted proxies say.
    public internal(set) var address: String?
    /// Whose side of the house the listener is: the platform's staff have one of their own.
    public internal(set) var realm = Realm.people
    /// The connection that it came by, or the stream of one.
    let channel: any NIOCore.Channel

    /// The context of one request that came in on the source's channel.
    public init(source: ApplicationRequestContextSource) {
        var generator = SystemRandomNumberGenerator()
        id = Identifier<RequestKind>(now: WallClock.system.now, using: &generator).text
        address = source.channel.remoteAddress?.ipAddress
        channel = source.channel
        coreContext = CoreRequestContextStorage(source: source)
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request"] = .string(id)
    }
}
