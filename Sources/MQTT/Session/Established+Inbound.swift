import NIOCore

/// Messages from the client (sections 3.3 to 3.7 and 4.3).
extension Established {
    mutating func receive(
        _ publish: consuming Publish, into output: inout ByteBuffer
    ) throws(ProtocolViolation) -> ServerSession.Action? {
        if version == .v5 {
            guard !publish.retain else {
                throw ProtocolViolation(.retainNotSupported, "a message asks to be retained")  // [MQTT-3.2.2-14]
            }
            if !publish.properties.isEmpty {
                guard !publish.properties.contains(.subscriptionIdentifier) else {
                    throw .protocolError("a client sent a subscription identifier")  // [MQTT-3.3.4-6]
                }
                if let alias = publish.properties.topicAlias {
                    publish.topic = try aliases.resolve(alias, publish.topic)
                }
            }
        }
        switch publish.qos {
        case .atMostOnce: return .publish(publish, nil)
        case .atLeastOnce: break
        case .exactlyOnce:
            if unreleased.contains(publish.packetID) {
                // Known, and not delivered twice: only the lost PUBREC is repeated, in its turn [MQTT-4.3.3-10].
                _ = pending.append(packetID: publish.packetID, qos: .exactlyOnce, decision: .success)
                sendDecided(into: &output)
                return nil
            }
            if undecided.contains(publish.packetID) { return nil }  // PUBREC will come.
            guard unreleased.count + undecided.count < max(limits.unreleased, 2 * Int(receiveMaximum)) else {
                throw ProtocolViolation(.receiveMaximumExceeded, "too many QoS 2 messages await PUBREL")
            }
        }
        // Section 3.3.4, [MQTT-3.3.4-7]; 3.1.1 has no such rule, its clients are held back.
        guard version == .v311 || inFlight < Int(receiveMaximum) else {
            throw ProtocolViolation(.receiveMaximumExceeded, "more messages are in flight than allowed")
        }
        inFlight += 1
        if publish.qos == .exactlyOnce { undecided.insert(publish.packetID) }
        return .publish(publish, pending.append(packetID: publish.packetID, qos: publish.qos))
    }

    mutating func acknowledge(
        _ handle: PublishHandle, _ reason: ReasonCode, text: String?, into output: inout ByteBuffer
    ) {
        pending.decide(handle, reason, text: explains ? text : nil)
        sendDecided(into: &output)
    }

    mutating func acknowledge(through handle: PublishHandle, into output: inout ByteBuffer) {
        output.reserveCapacity(minimumWritableBytes: 4 * pending.count)
        while let entry = pending.next(through: handle) { send(entry, into: &output) }
        sendDecided(into: &output)
    }

    private mutating func sendDecided(into output: inout ByteBuffer) {
        while let entry = pending.next() { send(entry, into: &output) }
    }

    /// Sends PUBACK or PUBREC. 3.1.1 cannot say no, and after PUBREC with an error the exchange is over (section 4.3.3).
    private mutating func send(_ entry: AcknowledgementQueue.Entry, into output: inout ByteBuffer) {
        let type: PacketType = entry.qos == .exactlyOnce ? .pubrec : .puback
        var reason = version == .v5 ? entry.decision ?? .success : .success
        if !reason.isAllowed(in: type) { reason = .unspecifiedError }
        let text = pending.takeText()
        if text == nil || !write(entry, as: type, reason, text, into: &output) {
            output.writeAcknowledgement(type, packetID: entry.packetID, reason: reason, version: version)
        }
        if entry.qos == .exactlyOnce {
            undecided.remove(entry.packetID)
            guard reason.isError else {
                unreleased.insert(entry.packetID)
                return
            }
        }
        inFlight = max(0, inFlight - 1)
    }

    /// Sends the acknowledgement with its words; false when the client would not take so large a packet [MQTT-3.4.2-2].
    private func write(
        _ entry: AcknowledgementQueue.Entry, as type: PacketType, _ reason: ReasonCode, _ text: String?,
        into output: inout ByteBuffer
    ) -> Bool {
        var ack = Acknowledgement(packetID: entry.packetID, reason: reason)
        guard let text, (try? ack.properties.set(.reasonString, to: text)) != nil else { return false }
        return write(type == .pubrec ? .pubrec(ack) : .puback(ack), into: &output)
    }

    /// PUBREL ends a QoS 2 exchange: PUBCOMP [MQTT-4.3.3-11], after which the packet identifier is free again.
    mutating func receive(release: Acknowledgement, into output: inout ByteBuffer) throws(ProtocolViolation) {
        guard !undecided.contains(release.packetID) else {
            throw .protocolError("PUBREL came before PUBREC was sent")
        }
        let isKnown = unreleased.remove(release.packetID) != nil
        // A message of an earlier connection does not count here, nor does it in the client (section 4.9).
        if isKnown { inFlight = max(0, inFlight - 1) }
        output.writeAcknowledgement(
            .pubcomp, packetID: release.packetID, reason: isKnown ? .success : .packetIdentifierNotFound,
            version: version)
    }
}
