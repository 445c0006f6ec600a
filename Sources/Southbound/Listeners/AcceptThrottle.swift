import NIOCore

/// Lets a listener take so many connections a second from the kernel's queue; the others wait there, where they cost
/// next to nothing.
final class AcceptThrottle: ChannelDuplexHandler {
    typealias InboundIn = any NIOCore.Channel
    typealias OutboundIn = any NIOCore.Channel

    private static let slice = TimeAmount.milliseconds(100)

    private let perSlice: Int
    private let isFull: () -> Bool
    private var taken = 0
    private var began = NIODeadline.uptimeNanoseconds(0)
    private var isHolding = false

    /// A throttle that also holds everything back while `isFull`.
    init(perSecond: Int, isFull: @escaping () -> Bool) {
        perSlice = max(perSecond / 10, 1)
        self.isFull = isFull
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        taken += 1
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        if now - began >= Self.slice {
            began = now
            taken = 0
        }
        guard taken >= perSlice || isFull() else { return context.read() }
        guard !isHolding else { return }
        isHolding = true
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.slice) {
            self.isHolding = false
            guard context.channel.isActive else { return }
            self.read(context: context)
        }
    }
}
