import NIOCore

/// Messages to the client, with QoS 0 or 1 (sections 4.3.1 and 4.3.2).
extension Established {
    mutating func send(
        _ message: OutboundMessage, into output: inout ByteBuffer, at now: NIODeadline
    ) -> DeliveryFailure? {
        if let expires = message.expires, expires <= now { return .expired }
        let qos = min(message.qos, .atLeastOnce)
        // Any packet identifier has the same length.
        let publish = Publish(message, qos: qos, packetID: 1, isDuplicate: false, at: now)
        guard publish.packetLength(version) <= largestOutbound else { return .tooLarge }  // [MQTT-3.1.2-25]
        guard qos == .atLeastOnce else { return write(.publish(publish), into: &output) ? nil : .tooLarge }
        guard outbox.append(message, limit: limits.outboundQueue) else { return .queueFull }
        sendWaiting(into: &output, at: now)
        return nil
    }

    /// Sends as much as the client's receive maximum allows [MQTT-4.9.0-2].
    mutating func sendWaiting(into output: inout ByteBuffer, at now: NIODeadline) {
        while let publish = outbox.next(window: window, at: now) {
            if !write(.publish(publish), into: &output) { outbox.giveUp(publish.packetID, .tooLarge) }
        }
    }

    /// PUBACK. One that answers nothing is left alone, as after a session that the server lost.
    mutating func received(
        _ ack: Acknowledgement, into output: inout ByteBuffer, at now: NIODeadline
    ) -> ServerSession.Action? {
        guard let id = outbox.complete(ack.packetID) else { return nil }
        sendWaiting(into: &output, at: now)
        return ack.reason.isError ? .undelivered(id, .refused(ack.reason)) : .delivered(id)
    }

    /// PUBREC, although nothing is sent with QoS 2: released all the same, so that the client can forget it.
    func received(unexpected ack: Acknowledgement, into output: inout ByteBuffer) throws(ProtocolViolation) {
        guard !outbox.contains(ack.packetID) else { throw .protocolError("PUBREC answers a QoS 1 message") }
        guard !ack.reason.isError else { return }
        output.writeAcknowledgement(
            .pubrel, packetID: ack.packetID, reason: .packetIdentifierNotFound, version: version)
    }
}
