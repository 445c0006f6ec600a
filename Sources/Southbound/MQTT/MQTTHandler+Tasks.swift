import Base
import Fleet
import MQTT
import NIOCore
import Operations

/// What a device says of a task, until it is on disk.
struct TaskWord {
    let number: Int64
    let status: StatusReport
    let handle: PublishHandle?

    /// The bytes of a message, if a word about a task may have so many.
    static func body(_ payload: ByteBuffer) throws(Refusal) -> [UInt8] {
        guard payload.readableBytes <= Limits.statusBytes else {
            throw Refusal(.tooLarge, "task.status", "A status has at most \(Limits.statusBytes) bytes.")
        }
        return Array(payload.readableBytesView)
    }
}

/// What a connection has to do with its device's tasks: it tells the device of them, and acknowledges what the device
/// says of them when that is on disk.
extension MQTTHandler {
    /// Where a connection stands with its device's tasks; touched on its loop only.
    final class Tasking {
        /// What the device said and is not on disk yet, oldest first.
        var words = CircularBuffer<TaskWord>(initialCapacity: 1)
        /// Whether the oldest of them is on its way.
        var isKeeping = false
        /// Of which tasks the device was told.
        var told = TaskDelivery()
        /// Whether envelopes for it are being signed.
        var isSigning = false
        /// Whether there was news meanwhile.
        var hasNews = false

        var isIdle: Bool { words.isEmpty }
        var isStalled: Bool { words.count >= Limits.taskWords }
    }

    private var tasks: Tasking {
        if let tasking { return tasking }
        let begun = Tasking()
        tasking = begun
        return begun
    }

    // MARK: What the device says

    /// Keeps what the device says of a task, one word after the other, so that they stay in their order.
    func said(_ status: StatusReport, of text: String, _ handle: PublishHandle?) throws(Refusal) {
        guard service.desk != nil, let number = WorkResource.number(text) else { throw DeviceDesk.unknown }
        service.counters.words.add()
        tasks.words.append(TaskWord(number: number, status: status, handle: handle))
        keepNext()
    }

    private func keepNext() {
        guard !isClosing, let desk = service.desk, let device = admitted?.device, let tasking, !tasking.isKeeping,
            let word = tasking.words.first
        else { return }
        tasking.isKeeping = true
        let (status, number) = (word.status, word.number)
        desk.attempt(from: connection.address, on: eventLoop) { try await desk.take(status, of: number, from: device) }
            .assumeIsolated().whenSuccess { result in
                tasking.isKeeping = false
                self.kept(result)
            }
    }

    private func kept(_ result: Result<Void, Refusal>) {
        guard !isClosing, let tasking else { return }
        if case .failure(let refusal) = result, refusal.kind == .unavailable || refusal.kind == .limited {
            // Nothing is acknowledged before it is on disk: the word waits, and behind it what the device says next.
            return later { self.keepNext() }
        }
        guard let word = tasking.words.popFirst() else { return }
        var output = loop.takeOutput()
        var ending: Ending?
        switch result {
        case .success:
            if word.status.report == .goesOn { tasking.told.goesOn(word.number) }
            if let handle = word.handle { session.acknowledge(handle, into: &output) }
        case .failure(let refusal): refuse(word.handle, refusal, into: &output, ending: &ending)
        }
        send(&output)
        if let ending { return finish(ending) }
        keepNext()
        if input.readableBytes > 0 { work() } else { resumeReading() }
    }

    /// Counts a word that was refused, and notes who speaks of a task that is not its own.
    func refusedWord(_ refusal: Refusal) {
        service.counters.refusedWords(refusal.code).add()
        guard refusal.code == DeviceDesk.unknown.code, let device = admitted?.device else { return }
        service.foreignTask(device, address: address)
    }

    /// Answers a device that calls the server as it might ThingsBoard's rule chains: there are none.
    func answerCall(_ number: String, into output: inout ByteBuffer) throws(Refusal) {
        let refusal = Refusal(.forbidden, "task.call", "this server takes no calls from devices")
        let content: JSONValue = ["error": .string(refusal.message)]
        guard let topic = DeviceTopics.callResponse(number),
            tell(content, on: topic, to: DeviceTopics.callResponses, into: &output) != nil
        else { throw refusal }
        refusedWord(refusal)
    }

    // MARK: What the device is told

    /// Tells a device of its tasks that has just asked to hear of them.
    func askedForTasks(_ request: SubscribeRequest) {
        let filters = [DeviceTopics.tasks.string, DeviceTopics.calls]
        guard request.subscriptions.contains(where: { filters.contains($0.filter.text) }), way != nil else { return }
        tasking?.told.asked()
        tasksPosted()
    }

    /// Tells a device that comes back to its session of what it has not heard.
    func resumed(_ told: TaskDelivery) {
        guard let way else { return }
        tasks.told = told
        // What went out without acknowledgement may be lost.
        if subscription(filter(of: way))?.maximumQoS == .atMostOnce { tasks.told.asked() }
        tasksPosted()
    }

    func tasksPosted() {
        guard !isClosing, let desk = service.desk, let device = admitted?.device, let way,
            desk.operations.board.hasWork(for: device.device)
        else { return }
        guard !tasks.isSigning else {
            tasks.hasNews = true
            return
        }
        let open = desk.operations.board.tasks(for: device.device, limit: OperationLimits.handedOut)
        let news = tasks.told.news(open, by: way)
        guard !news.isEmpty else { return }
        tasks.isSigning = true
        // Over MQTT nobody has said how the server is called: artifacts are at a path of the device listener.
        let base = "/\(device.tenantSlug.text)/controller/v1/\(device.device.text)"
        desk.attempt(from: connection.address, on: eventLoop) {
            try await desk.envelopes.keep(EnvelopeRequest(news, for: device, base: base))
        }.assumeIsolated().whenSuccess { self.signed($0) }
    }

    private func signed(_ result: Result<[DeviceEnvelope], Refusal>) {
        guard !isClosing, let tasking else { return }
        tasking.isSigning = false
        guard case .success(let envelopes) = result else { return later { self.tasksPosted() } }
        var output = loop.takeOutput()
        for envelope in envelopes { tell(envelope, into: &output) }
        send(&output)
        guard tasking.hasNews else { return }
        tasking.hasNews = false
        tasksPosted()
    }

    private func tell(_ envelope: DeviceEnvelope, into output: inout ByteBuffer) {
        guard let way, let number = envelope.number, let type = envelope.type else { return }
        let content: JSONValue
        let topic: Topic?
        switch way {
        case .envelopes: (content, topic) = (envelope.json, DeviceTopics.tasks)
        case .calls:
            content = ThingsBoardCall.request(type, envelope.json["input"] ?? [:])
            topic = DeviceTopics.call(number)
        }
        // What waits for a device that is away is not sent when its time is over.
        let expires = NIODeadline.now() + TimeAmount(envelope.expires - service.clock.now)
        guard let topic, tell(content, on: topic, to: filter(of: way), expires: expires, into: &output) != nil else {
            return
        }
        tasks.told.told(number, isCancel: envelope.isCancel)
        service.counters.tasks.add()
    }

    /// How the device wants to hear of its tasks: signed, if it asked for both; nil when it did not ask.
    private var way: TaskWay? {
        if subscription(DeviceTopics.tasks.string) != nil { return .envelopes }
        return subscription(DeviceTopics.calls) == nil ? nil : .calls
    }

    private func filter(of way: TaskWay) -> String {
        switch way {
        case .envelopes: DeviceTopics.tasks.string
        case .calls: DeviceTopics.calls
        }
    }

    /// Tries again in a while, not all connections at once.
    private func later(_ again: @escaping () -> Void) {
        let pause = TimeAmount.milliseconds(.random(in: 200...2000))
        eventLoop.assumeIsolated().scheduleTask(in: pause) { again() }
    }
}
