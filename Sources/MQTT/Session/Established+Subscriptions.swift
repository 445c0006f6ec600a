import NIOCore

/// A SUBSCRIBE that waits for the owner's answer.
public struct SubscribeRequest: Sendable, Hashable {
    let packetID: UInt16
    /// What is wanted; the owner answers in this order.
    public let subscriptions: [Subscription]
    /// What the client's application attached.
    public let properties: Properties
}

/// Subscriptions (sections 3.8 to 3.11).
extension Established {
    /// Refuses what CONNACK said is not available (5.0, sections 3.2.2.3.11 to 3.2.2.3.13) and passes on the rest.
    mutating func receive(_ subscribe: Subscribe) throws(ProtocolViolation) -> SubscribeRequest {
        if version == .v5 {
            guard subscribe.properties.subscriptionIdentifiers.isEmpty else {
                throw ProtocolViolation(
                    .subscriptionIdentifiersNotSupported, "subscription identifiers are not available")
            }
            for subscription in subscribe.subscriptions {
                guard !subscription.filter.isShared else {
                    throw ProtocolViolation(
                        .sharedSubscriptionsNotSupported, "shared subscriptions are not available")
                }
                guard limits.wildcardSubscriptions || !subscription.filter.hasWildcard else {
                    throw ProtocolViolation(.wildcardSubscriptionsNotSupported, "wildcards are not available")
                }
            }
        }
        guard openRequests < limits.openRequests else {
            throw ProtocolViolation(.quotaExceeded, "too many SUBSCRIBE packets await their answer")
        }
        openRequests += 1
        return SubscribeRequest(
            packetID: subscribe.packetID, subscriptions: subscribe.subscriptions, properties: subscribe.properties)
    }

    /// Notes what was granted and writes SUBACK; false when the client does not accept a packet of that size.
    mutating func answer(_ request: SubscribeRequest, with reasons: [ReasonCode], into output: inout ByteBuffer) -> Bool
    {
        openRequests = max(0, openRequests - 1)
        var answers: [ReasonCode] = []
        answers.reserveCapacity(request.subscriptions.count)
        for (index, subscription) in request.subscriptions.enumerated() {
            let reason = index < reasons.count ? reasons[index] : .unspecifiedError
            answers.append(grant(subscription, reason))
        }
        return write(.suback(SubAck(packetID: request.packetID, reasons: answers)), into: &output)
    }

    private mutating func grant(_ subscription: Subscription, _ reason: ReasonCode) -> ReasonCode {
        guard !reason.isError else { return reason.isAllowed(in: .suback) ? reason : .unspecifiedError }
        // An equal filter replaces the subscription [MQTT-3.8.4-3].
        guard subscriptions[subscription.filter] != nil || subscriptions.count < limits.subscriptions else {
            return .quotaExceeded
        }
        let qos = min(QoS(rawValue: reason.rawValue) ?? .atMostOnce, subscription.maximumQoS, .atLeastOnce)
        var granted = subscription
        granted.maximumQoS = qos
        subscriptions[subscription.filter] = granted
        return .granted(qos)
    }

    /// Ends subscriptions and answers at once: there is nothing to decide [MQTT-3.10.4-1], [MQTT-3.10.4-4].
    mutating func receive(
        _ unsubscribe: Unsubscribe, into output: inout ByteBuffer
    ) throws(ProtocolViolation) -> ServerSession.Action? {
        var ended: [TopicFilter] = []
        let reasons = unsubscribe.filters.map { filter -> ReasonCode in
            guard subscriptions.removeValue(forKey: filter) != nil else { return .noSubscriptionExisted }
            ended.append(filter)
            return .success
        }
        guard write(.unsuback(SubAck(packetID: unsubscribe.packetID, reasons: reasons)), into: &output) else {
            throw ProtocolViolation(.packetTooLarge, "the client accepts no packet as large as the answer")
        }
        return ended.isEmpty ? nil : .unsubscribed(ended)
    }
}
