import Base

@testable import Fleet

extension Probe {
    /// What a device publishes to `events` or `reported`: refused with its own code, or kept as it was meant.
    public static func deviceReport(_ bytes: [UInt8]) throws {
        try events(bytes)
        try reported(bytes)
    }

    private static let received = Timestamp(microseconds: 1_800_000_000_000_000)

    private static func read(_ content: DeviceReport.Content, _ codes: Set<String>) throws -> ReadReport? {
        guard let slug = TenantSlug("probe"), let name = Name("probe") else { return nil }
        let device = AdmittedDevice(
            tenant: TenantID(high: 1, low: 1), tenantSlug: slug, device: DeviceID(high: 1, low: 2), name: name,
            domain: DomainID(high: 1, low: 3), model: nil, channels: .both, credential: nil, notAfter: received,
            ticket: CredentialTicket(slot: 0, number: 0))
        let report = DeviceReport(content, of: device, received: received)
        do throws(Refusal) {
            return try ReadReport(report, numbers: EventNumbers())
        } catch {
            try check(codes.contains(error.code), "a report is refused with its own code: \(error)")
            try check(error.faults.count <= FleetLimits.namedFaults, "a bounded number of faults is named")
            return nil
        }
    }

    private static func events(_ bytes: [UInt8]) throws {
        guard case .events(let kept)? = try read(.events(bytes), ["events.invalid", "events.size"]) else { return }
        try check((1...FleetLimits.eventsAtOnce).contains(kept.count), "a message has some events, and not too many")
        for (one, next) in zip(kept, kept.dropFirst()) {
            try check(one.sequence < next.sequence, "events keep their order")
        }
        for one in kept {
            let details = JSONValue.object(one.event.details).canonical
            try check(details.utf8.count <= FleetLimits.eventDetailsBytes, "details are bounded")
            try check(StoredDocument.object(details) == one.event.details, "details are read back as they were")
            try check((one.event.text ?? "").utf8.count <= FleetLimits.eventTextBytes, "a text is bounded")
            try check(one.event.time.microseconds >= 0, "no event is older than time")
        }
    }

    private static func reported(_ bytes: [UInt8]) throws {
        guard case .merge(let patch)? = try read(.reported(bytes), ["reported.invalid", "reported.size"]) else {
            return
        }
        let before: JSONValue = ["a": ["b": 1, "c": [2]], "d": "e"]
        let after = before.merged(with: patch)
        try check(after.merged(with: patch) == after, "a merge that is repeated changes nothing")
        guard case .object(let members) = after else { throw ProbeFault(promise: "a document stays an object") }
        try check(StoredDocument.object(after.canonical) == members, "a document is read back as it was")
    }
}
