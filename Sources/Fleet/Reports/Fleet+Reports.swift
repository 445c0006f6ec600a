public import Base
import Bus
import Storage
import Trust

extension Fleet {
    /// Keeps the reports of many devices in one transaction, in their order; each outcome is on disk when this returns.
    ///
    /// A report that can not be kept is refused by itself and holds up no other. Throws, and has kept nothing, when the
    /// database can not be written now: the same call may work later.
    public func keep(_ reports: [DeviceReport]) async throws(Refusal) -> [ReportOutcome] {
        let items = reports.map { report in
            (report, Result { () throws(Refusal) in try ReadReport(report, numbers: eventNumbers) })
        }
        do {
            return try await database.platform.write { [bus, keyRing] transaction in
                var group = ReportGroup(items, keyRing)
                return try group.keep(in: transaction.acrossTenants, telling: bus)
            }
        } catch let error as StorageError where ![.unavailable, .busy, .full].contains(error.code) {
            guard reports.count > 1 else {
                return [
                    .refused(
                        Refusal(
                            .conflict, "report.notKept", "the server could not keep this message", detail: "\(error)"))
                ]
            }
            // One of them must be what the database does not take, so each goes alone.
            var outcomes: [ReportOutcome] = []
            for report in reports { outcomes += try await keep([report]) }
            return outcomes
        } catch {
            throw Refusal(
                .unavailable, "report.later", "The server can not keep reports now.", detail: "\(error)",
                retryAfter: .seconds(1))
        }
    }
}

/// Reports that are kept together: what they do to each device's documents, step by step in memory, then written once.
private struct ReportGroup {
    private let items: [(report: DeviceReport, read: Result<ReadReport, Refusal>)]
    private let keyRing: KeyRing
    private var documents: [DeviceID: StoredDocuments] = [:]
    private var changed: Set<Owner> = []
    private var events: [(owner: Owner, event: KeptEvent)] = []

    init(_ items: [(DeviceReport, Result<ReadReport, Refusal>)], _ keyRing: KeyRing) {
        self.items = items.map { ($0, $1) }
        self.keyRing = keyRing
    }

    mutating func keep(in transaction: Transaction, telling bus: Bus) throws -> [ReportOutcome] {
        let owners = Set(items.map { Owner(tenant: $0.report.device.tenant, device: $0.report.device.device) })
        documents = try DocumentStore.load(owners.sorted(), in: transaction)
        var outcomes: [ReportOutcome] = []
        for (report, read) in items {
            do throws(Refusal) {
                outcomes.append(try outcome(of: report, read.get(), in: transaction, telling: bus))
            } catch {
                outcomes.append(.refused(error))
            }
        }
        try DocumentStore.write(
            changed.sorted().compactMap { owner in
                documents[owner.device].map { ($0.documents.reported, owner) }
            }, in: transaction)
        for owner in changed.sorted() {
            guard let stored = documents[owner.device] else { continue }
            let drift = Drift(stored.documents).count
            if drift != stored.drift { try DocumentStore.write(drift: drift, of: owner, in: transaction) }
        }
        try EventStore.insert(events, in: transaction)
        return outcomes
    }

    private mutating func outcome(
        of report: DeviceReport, _ read: ReadReport, in transaction: Transaction, telling bus: Bus
    ) throws(Refusal) -> ReportOutcome {
        let owner = Owner(tenant: report.device.tenant, device: report.device.device)
        guard var stored = documents[owner.device] else {
            throw Refusal(.unauthenticated, "device.unknown", "the device was deleted")
        }
        let present = stored.documents
        switch read {
        case .look:
            do {
                try stored.open(owner, with: keyRing, in: transaction)
            } catch {
                // It must not hold up what others report.
                throw Refusal(
                    .unavailable, "desired.sealed", "The desired document can not be read now.", detail: "\(error)")
            }
            return .documents(stored.documents)
        case .merge(let patch):
            guard case .object(let merged) = JSONValue.object(present.reported.members).merged(with: patch) else {
                break
            }
            try set(merged, of: owner, at: report.received)
        case .assign(let members):
            let merged = present.reported.members.merging(members) { $1 }.filter { $0.value != .null }
            try set(merged, of: owner, at: report.received)
        case .events(let kept):
            for event in kept { events.append((owner, event)) }
            transaction.afterCommit {
                bus.publish(
                    DeviceEventsKept(tenant: owner.tenant, device: owner.device, events: kept.map(\.event)))
            }
            return .kept(events: kept.count)
        }
        return .kept(events: 0)
    }

    /// Notes what a device reports now; most reports say what is known already, and those cost no row.
    private mutating func set(
        _ members: [String: JSONValue], of owner: Owner, at time: Timestamp
    ) throws(Refusal) {
        guard let present = documents[owner.device]?.documents.reported,
            members != present.members || present.version == 0
        else {
            return
        }
        try DeviceDocument.check(members, .reported)
        documents[owner.device]?.documents.reported = present.next(members, at: time)
        changed.insert(owner)
    }
}
