import Base
import Fleet
import MQTT
import NIOCore

/// What a connection has to do with devices' documents and events: it hands reports to the queue, answers when they are
/// on disk, and tells the device what it is wanted to be.
extension MQTTHandler {
    /// What becomes of a report's outcome.
    enum Errand {
        /// A message is acknowledged or refused.
        case message(PublishHandle?)
        /// A ThingsBoard device gets the attributes that it asked for.
        case attributes(AttributeRequest, PublishHandle?)
        /// The device is told what it is wanted to be.
        case desired

        /// The message that waits for it, if one does.
        var handle: PublishHandle? {
            switch self {
            case .message(let handle), .attributes(_, let handle): handle
            case .desired: nil
            }
        }
    }

    /// Where the reports of a connection stand; touched on its loop only.
    final class Reporting {
        /// What follows from the reports that the queue has, oldest first.
        var errands: [Errand] = []
        /// The report that found no room in the queue, behind which nothing more is read.
        var stalled: (report: DeviceReport, errand: Errand)?
        /// Whether the queue will say when there is room; else the connection's own reports are in the way.
        var waitsForRoom = false
        /// What the device was told that it is wanted to be.
        var desired = DesiredDelivery()
        /// The version of the desired document that a ThingsBoard device knows, 0 when none was told on this connection.
        var attributesVersion: Int64 = 0

        var isStalled: Bool { stalled != nil }
        var isIdle: Bool { errands.isEmpty && stalled == nil }
    }

    private var reports: Reporting {
        if let reporting { return reporting }
        let begun = Reporting()
        reporting = begun
        return begun
    }

    // MARK: Handing in

    /// Hands a report in, or keeps it until there is room.
    func report(_ content: DeviceReport.Content, _ errand: Errand) {
        guard let device = admitted?.device else { return }
        service.counters.reports.add()
        submit(DeviceReport(content, of: device, received: service.clock.now), errand)
    }

    private func submit(_ report: DeviceReport, _ errand: Errand) {
        let reports = reports
        let isOwnTurn = reports.errands.count < service.reports.perConnection
        if isOwnTurn, service.reports.submit(report, from: self) {
            reports.errands.append(errand)
        } else {
            reports.stalled = (report, errand)
            reports.waitsForRoom = isOwnTurn
        }
    }

    func roomCame() {
        guard !isClosing, let reporting, reporting.waitsForRoom else { return service.reports.passOn() }
        reporting.waitsForRoom = false
        goOn()
    }

    /// Hands in the report that waited, and takes up reading again.
    private func goOn() {
        if let reporting, let stalled = reporting.stalled, !reporting.waitsForRoom {
            reporting.stalled = nil
            submit(stalled.report, stalled.errand)
        }
        if input.readableBytes > 0 { work() } else { resumeReading() }
    }

    // MARK: Answering

    func kept(_ outcomes: [ReportOutcome]) {
        guard !isClosing, let reporting else { return }
        var output = loop.takeOutput()
        var ending: Ending?
        for (errand, outcome) in zip(reporting.errands, outcomes) where ending == nil {
            settle(errand, outcome, into: &output, ending: &ending)
        }
        reporting.errands.removeFirst(min(outcomes.count, reporting.errands.count))
        send(&output)
        if let ending { finish(ending) } else { goOn() }
    }

    private func settle(
        _ errand: Errand, _ outcome: ReportOutcome, into output: inout ByteBuffer, ending: inout Ending?
    ) {
        switch outcome {
        case .refused(let refusal): return refuse(errand.handle, refusal, into: &output, ending: &ending)
        case .kept(let events):
            service.counters.events.add(events)
            // The message was counted when it came; each further event in it counts like a message.
            if events > 1 { count(messages: events - 1, bytes: 0, at: .now()) }
        case .documents(let documents):
            switch errand {
            case .message: break
            case .attributes(let request, _):
                guard let topic = DeviceTopics.attributeResponse(request.number) else { break }
                _ = tell(request.answer(documents), on: topic, to: DeviceTopics.attributeResponses, into: &output)
            case .desired: tell(reports.desired.offer(documents.desired), into: &output)
            }
        }
        if let handle = errand.handle { session.acknowledge(handle, into: &output) }
    }

    // MARK: What the device is wanted to be

    /// Looks up what a device is wanted to be that has just asked to hear of it.
    func subscribed(_ request: SubscribeRequest) {
        askedForTasks(request)
        guard request.subscriptions.contains(where: { $0.filter.text == DeviceTopics.desired.string }),
            subscription(DeviceTopics.desired.string) != nil
        else { return }
        reports.desired.asked()
        report(.look, .desired)
    }

    /// Looks up what has changed for a device that comes back to its session.
    func resumed(_ kept: MQTTSessions.Kept) {
        resumed(kept.tasks)
        guard let subscription = subscription(DeviceTopics.desired.string) else { return }
        reports.desired = kept.desired
        // What went out without acknowledgement may be lost.
        if subscription.maximumQoS == .atMostOnce { reports.desired.asked() }
        report(.look, .desired)
    }

    func desiredChanged(_ change: DesiredChanged) {
        guard !isClosing, admitted != nil else { return }
        var output = loop.takeOutput()
        if subscription(DeviceTopics.desired.string) != nil {
            tell(reports.desired.offer(change.document), into: &output)
        }
        if subscription(DeviceTopics.attributes.string) != nil { tellAttributes(change, into: &output) }
        send(&output)
    }

    private func tellAttributes(_ change: DesiredChanged, into output: inout ByteBuffer) {
        let known = reports.attributesVersion
        guard change.document.version > known else { return }
        reports.attributesVersion = change.document.version
        // When a change was overtaken by a later one, that one tells all members.
        let isNext = known == 0 || known == change.previous.version
        let update = AttributeRequest.update(
            from: change.previous.told, to: change.document.told, tellingAll: !isNext)
        let topic = DeviceTopics.attributes
        if let update { _ = tell(update, on: topic, to: topic.string, into: &output) }
    }

    /// Goes on after a message to the device has ended; those about documents bear the version as their number.
    func desiredEnded(_ id: UInt64, isAcknowledged: Bool, into output: inout ByteBuffer) {
        guard id > 0, let reporting else { return }
        tell(reporting.desired.ended(Int64(clamping: id), isAcknowledged: isAcknowledged), into: &output)
    }

    /// Sends a desired document, and the next one where sending is the end of it.
    private func tell(_ document: DeviceDocument?, into output: inout ByteBuffer) {
        var document = document
        while let present = document {
            let content: JSONValue = ["version": .integer(present.version), "desired": .object(present.told)]
            let told = tell(
                content, on: DeviceTopics.desired, to: DeviceTopics.desired.string, id: UInt64(present.version),
                into: &output)
            if told == .atLeastOnce { return }
            document = reports.desired.ended(present.version, isAcknowledged: told != nil)
        }
    }

    /// Sends a message to a device that has subscribed; answers how it went, nil when it did not.
    func tell(
        _ content: JSONValue, on topic: Topic, to filter: String, id: UInt64 = 0, expires: NIODeadline? = nil,
        into output: inout ByteBuffer
    ) -> QoS? {
        guard let subscription = subscription(filter) else { return nil }
        let message = OutboundMessage(
            id: id, topic: topic, payload: ByteBuffer(string: content.canonical), qos: subscription.maximumQoS,
            expires: expires)
        return session.send(message, into: &output, at: .now()) == nil ? message.qos : nil
    }

    func subscription(_ filter: String) -> Subscription? {
        session.subscriptions.first { $0.filter.text == filter }
    }
}
