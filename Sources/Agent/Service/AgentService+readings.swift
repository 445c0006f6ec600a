import Base
import Glibc
import NIOHTTP1

/// Readings: measured or dropped by other programs, kept sealed until the server has them.
extension AgentService {
    /// Looks every second for what is new, and sends what waits.
    func reportOn() async {
        var host = HostMetrics()
        var measured: ContinuousClock.Instant?
        var failures = 0
        var sendAgain = ContinuousClock.now
        var fault: String?
        while !Task.isCancelled {
            var hasMore = false
            if settings.metrics > 0, measured.map({ .now - $0 >= .seconds(settings.metrics) }) ?? true {
                measured = .now
                let found = host.measure().merging(await measureOutside()) { $1 }
                readings.append([timed(.object(found))])
            }
            do {
                hasMore = try collect()
                try watchTamper()
            } catch {
                log.say("readings can not be taken", ["reason": "\(error)"])
            }
            if readings.fault != fault {
                fault = readings.fault
                log.say(
                    fault == nil ? "readings are kept on disk again" : "readings are kept in memory",
                    ["reason": fault ?? ""])
            }
            if .now >= sendAgain {
                do {
                    try await send()
                    failures = 0
                } catch {
                    failures = min(failures + 1, 6)
                    sendAgain = .now + .seconds(1 << failures) * Double.random(in: 0.5...1)
                    log.say("readings wait", ["reason": "\(error)", "bytes": "\(readings.bytes)"])
                }
            }
            try? await Task.sleep(for: hasMore ? .milliseconds(20) : .seconds(1))
        }
    }

    /// What other programs on the device know of it: ModemManager and gpsd, where they are there.
    private func measureOutside() async -> [String: JSONValue] {
        let (modem, position) = (settings.modem.map(ModemReader.init), settings.position)
        let found = try? await blocking { (modem?.read(), position?.read()) }
        modemFacts = found?.0?.facts ?? [:]
        return (found?.0?.values ?? [:]).merging(found?.1 ?? [:]) { $1 }
    }

    func timed(_ values: JSONValue) -> JSONValue {
        ["ts": .integer(clock.now.milliseconds), "values": values]
    }

    /// Takes the files that other programs have put into `readings/`, in the order of their names: a JSON object of
    /// values, or one with `ts` and `values`. True when there are more than were taken at once.
    private func collect() throws -> Bool {
        let directory = settings.state + "/readings"
        let names = try StateFile.names(in: directory).filter { $0.hasSuffix(".json") }
        let taken = names.prefix(AgentLimits.readingsAtOnce)
        var fresh: [JSONValue] = []
        for name in taken where !stuck.contains(name) {
            let path = "\(directory)/\(name)"
            let bytes = try? StateFile.read(path, limit: AgentLimits.payloadBytes / 2)
            if let bytes = bytes ?? nil, let json = try? JSONValue(parsing: bytes), case .object(let members) = json,
                !members.isEmpty
            {
                fresh.append(members["ts"]?.integer != nil && members["values"] != nil ? json : timed(json))
            } else {
                readings.giveUp(1)
                log.say("left a reading out that can not be understood", ["file": name])
            }
        }
        guard !taken.isEmpty else { return false }
        readings.append(fresh)
        // A power cut that brings one of them back makes it come twice, which the server lays over itself. One that can
        // not be removed must not come for ever.
        for name in taken {
            if unlink("\(directory)/\(name)") == 0 || errno == ENOENT { stuck.remove(name) } else { stuck.insert(name) }
        }
        return names.count > taken.count && stuck.isEmpty
    }

    /// Notes when the case is opened or closed.
    func watchTamper() throws {
        guard let path = settings.tamper else { return }
        guard let first = (try? StateFile.read(path, limit: 64))??.first else {
            // A device that can not look must not seem closed to who reads its log.
            if !isTamperMissing { log.say("the tamper input can not be read", ["file": path]) }
            return isTamperMissing = true
        }
        isTamperMissing = false
        let isOpen = first != UInt8(ascii: "0")
        guard isOpen != journal.contents.isOpened else { return }
        readings.append([timed(["host.tamper": .integer(isOpen ? 1 : 0)])])
        let event: JSONValue = [
            "code": .string(isOpen ? "tamper.opened" : "tamper.closed"),
            "severity": .string(isOpen ? "critical" : "info"),
            "ts": .integer(clock.now.milliseconds),
        ]
        try journal.write { contents in
            contents.isOpened = isOpen
            contents.events = (contents.events + [event]).suffix(AgentLimits.events)
        }
        log.say("the tamper input changed", ["open": "\(isOpen)"])
        bell.ring()
    }

    /// Sends part after part, and erases each when the server has it.
    private func send() async throws {
        while let identity = streamIdentity, let part = readings.oldest() {
            var pieces = ReadingPieces(part.readings)
            var lost = 0
            while let piece = pieces.next {
                let answer = try await client.ask(
                    .POST, "/\(settings.tenant)/telemetry", headers: ["Content-Type": "application/json"],
                    body: Array(JSONValue.array(Array(piece)).canonical.utf8), identity: identity)
                switch answer.status {
                case 200, 204: pieces.taken()
                // What the server will never take must hold up nothing else, and take nothing else with it.
                case 400, 413, 422: lost += pieces.refused()
                default:
                    throw ServerCalls.Refused(
                        status: answer.status, description: "the server answered \(answer.status)")
                }
            }
            if lost > 0 { log.say("the server refused readings", ["readings": "\(lost)"]) }
            readings.erase(part, lost: lost)
        }
    }

    /// Brings back what the server had and wants once more: `from`, `to` and `series` in the task's input.
    func resend(_ input: JSONValue) -> TaskOutcome {
        guard let wish = input["resend"] else { return TaskOutcome(.succeeded) }
        func time(_ member: String, _ usual: Int64) -> Int64? {
            guard let value = wish[member], value != .null else { return usual }
            return value.string.flatMap { Timestamp(rfc3339: $0)?.milliseconds } ?? value.integer
        }
        var series: Set<String> = []
        if case .array(let names)? = wish["series"] { series = Set(names.compactMap(\.string)) }
        guard let from = time("from", .min), let to = time("to", .max), from <= to else {
            return TaskOutcome(.refused, details: ["resend names no time: from, to"])
        }
        guard settings.history > 0 else { return TaskOutcome(.refused, details: ["no history is kept on this device"]) }
        do {
            return TaskOutcome(
                .succeeded, details: ["\(try readings.bringBack(from...to, series: series)) readings are sent again"])
        } catch {
            return TaskOutcome(.failed, details: ["\(error)"])
        }
    }

    /// Tells what has happened, each once it is known to be told no more.
    func tellEvents(_ calls: ServerCalls) async throws {
        while let event = journal.contents.events.first {
            try await calls.tell(event: event)
            // More may have come, and the oldest gone, meanwhile.
            try journal.write { contents in contents.events.removeAll { $0 == event } }
        }
    }

    /// Tells what the device is, when that has changed since it was told.
    func tellFacts(_ calls: ServerCalls) async throws {
        var host = HostMetrics().facts()
        if settings.tamper != nil { host["tamper"] = isTamperMissing ? .null : .bool(journal.contents.isOpened) }
        if !modemFacts.isEmpty { host["cellular"] = .object(modemFacts) }
        let contents = journal.contents
        let agent: JSONValue = [
            "version": .string(version), "refused": .object(contents.refusals.mapValues { .integer($0) }),
            "installed": .object(contents.installed.mapValues { .integer($0) }),
            "readings": [
                "fault": readings.fault.map { .string(String($0.prefix(AgentLimits.detailBytes))) } ?? .null,
                "lost": .integer(readings.lost),
            ],
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
