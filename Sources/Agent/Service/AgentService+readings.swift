import Base
import Glibc
import NIOHTTP1

/// Readings: measured or dropped by other programs, kept sealed until the server has them.
extension AgentService {
    /// Looks every few seconds for what is new, and sends what waits.
    func reportOn() async {
        guard var buffer = buffer() else { return }
        var host = HostMetrics()
        var measured: ContinuousClock.Instant?
        var failures = 0
        var sendAgain = ContinuousClock.now
        while !Task.isCancelled {
            var hasMore = false
            do {
                if settings.metrics > 0, measured.map({ .now - $0 >= .seconds(settings.metrics) }) ?? true {
                    measured = .now
                    try buffer.append(timed(.object(host.measure())))
                }
                hasMore = try collect(into: &buffer)
                try watchTamper(&buffer)
            } catch {
                log.say("readings can not be kept", ["reason": "\(error)"])
            }
            if .now >= sendAgain {
                do {
                    try await send(&buffer)
                    failures = 0
                } catch {
                    failures = min(failures + 1, 6)
                    sendAgain = .now + .seconds(1 << failures) * Double.random(in: 0.5...1)
                    log.say("readings wait", ["reason": "\(error)", "bytes": "\(buffer.bytes)"])
                }
            }
            try? await Task.sleep(for: hasMore ? .milliseconds(20) : .seconds(1))
        }
    }

    private func buffer() -> ReadingBuffer? {
        do {
            try StateFile.makeDirectory(settings.state + "/readings")
            return try ReadingBuffer(state: settings.state, room: settings.buffer)
        } catch {
            log.say("readings can not be kept", ["reason": "\(error)"])
            return nil
        }
    }

    private func timed(_ values: JSONValue) -> JSONValue {
        ["ts": .integer(clock.now.milliseconds), "values": values]
    }

    /// Takes the files that other programs have put into `readings/`, in the order of their names: a JSON object of
    /// values, or one with `ts` and `values`. True when there are more than were taken at once.
    private func collect(into buffer: inout ReadingBuffer) throws -> Bool {
        let directory = settings.state + "/readings"
        let names = try StateFile.names(in: directory).filter { $0.hasSuffix(".json") }
        let taken = names.prefix(AgentLimits.readingsAtOnce)
        var readings: [JSONValue] = []
        for name in taken {
            let path = "\(directory)/\(name)"
            let bytes = try? StateFile.read(path, limit: AgentLimits.payloadBytes / 2)
            if let bytes = bytes ?? nil, let json = try? JSONValue(parsing: bytes), case .object(let members) = json,
                !members.isEmpty
            {
                readings.append(members["ts"]?.integer != nil && members["values"] != nil ? json : timed(json))
            } else {
                log.say("left a reading out that can not be understood", ["file": name])
            }
        }
        guard !taken.isEmpty else { return false }
        try buffer.append(contentsOf: readings)
        // A power cut that brings one of them back makes it come twice, which the server lays over itself.
        for name in taken { unlink("\(directory)/\(name)") }
        return names.count > taken.count
    }

    /// Notes when the case is opened or closed.
    private func watchTamper(_ buffer: inout ReadingBuffer) throws {
        guard let path = settings.tamper, let first = try StateFile.read(path, limit: 64)?.first else { return }
        let isOpen = first != UInt8(ascii: "0")
        guard isOpen != journal.contents.isOpened else { return }
        try buffer.append(timed(["host.tamper": .integer(isOpen ? 1 : 0)]))
        try journal.write { $0.isOpened = isOpen }
        log.say("the tamper input changed", ["open": "\(isOpen)"])
        bell.ring()
    }

    /// Sends part after part, and erases each when the server has it.
    private func send(_ buffer: inout ReadingBuffer) async throws {
        while let identity = streamIdentity, let part = try buffer.oldest() {
            if !part.readings.isEmpty {
                let answer = try await client.ask(
                    .POST, "/\(settings.tenant)/telemetry", headers: ["Content-Type": "application/json"],
                    body: Array(JSONValue.array(part.readings).canonical.utf8), identity: identity)
                switch answer.status {
                case 200, 204: break
                // What the server will never take must not hold up the rest.
                case 400, 413, 422: log.say("the server refused readings", ["status": "\(answer.status)"])
                default:
                    throw ServerCalls.Refused(
                        status: answer.status, description: "the server answered \(answer.status)")
                }
            }
            try buffer.erase(part)
        }
    }

    /// Tells what the device is, when that has changed since it was told.
    func tellFacts(_ calls: ServerCalls) async throws {
        var host = HostMetrics().facts()
        if settings.tamper != nil { host["tamper"] = .bool(journal.contents.isOpened) }
        let contents = journal.contents
        let agent: JSONValue = [
            "version": .string(version), "refused": .object(contents.refusals.mapValues { .integer($0) }),
            "installed": .object(contents.installed.mapValues { .integer($0) }),
        ]
        let facts: JSONValue = ["agent": agent, "host": .object(host)]
        if facts != toldFacts {
            try await calls.report(facts)
            toldFacts = facts
        }
        if let untold = contents.configuration.untold {
            try await calls.report(untold)
            try journal.write { contents in
                if contents.configuration.untold == untold { contents.configuration.untold = nil }
            }
        }
    }
}
