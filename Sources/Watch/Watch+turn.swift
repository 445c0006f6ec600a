import Access
import Base
import Bus
import Fleet
import Operations
import Storage
import Synchronization
import Trust

extension Watch {
    /// Makes alerts of what was heard since the last time, and tells whom the rules name; one at a time.
    ///
    /// What can not be written is read again from the database the next time. Throws the first of such errors when it is
    /// through with all tenants.
    func turn() async throws {
        let taken = inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return inbox
        }
        let now = clock.now
        desks.withLock { desks in for tenant in taken.gone { desks[tenant] = nil } }
        var failure: (any Error)?
        var ending: [TenantID: [DeviceID: Timestamp]]?
        if taken.certificates || isCertificateTime(now) {
            do {
                ending = try await endingCertificates()
                looked.withLock { $0 = now }
            } catch {
                inbox.withLock { $0.certificates = true }
                failure = error
            }
        }
        var work = Set(taken.facts.keys).union(taken.doubted).union(taken.rules).union(taken.marks.keys)
        work.formUnion(taken.silences.keys)
        let waiting = desks.withLock { desks in
            desks.filter { desk in
                desk.value.isDue(at: now) || (ending != nil && !desk.value.book.expiring.isEmpty)
            }.map(\.key)
        }
        work.formUnion(waiting)
        if let ending { work.formUnion(ending.keys) }
        for tenant in work.subtracting(taken.gone).sorted() where access.directory.tenant(tenant) != nil {
            do {
                let devices = ending.map { $0[tenant] ?? [:] }
                try await turn(tenant, taken, ending: devices, at: now)
            } catch {
                inbox.withLock { inbox in
                    inbox.doubted.insert(tenant)
                    inbox.certificates = true
                }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func isCertificateTime(_ now: Timestamp) -> Bool {
        looked.withLock { $0.map { now - $0 >= .seconds(WatchLimits.certificateSeconds) || now < $0 } ?? true }
    }

    private func endingCertificates() async throws -> [TenantID: [DeviceID: Timestamp]] {
        let found = try await database.platform.read { [certificates] transaction in
            try certificates.ending(
                within: .seconds(WatchLimits.certificateDays * 86_400),
                endedFor: .seconds(WatchLimits.endedDays * 86_400), in: transaction)
        }
        var ending: [TenantID: [DeviceID: Timestamp]] = [:]
        for (tenant, device, end) in found { ending[tenant, default: [:]][device] = end }
        return ending
    }

    /// One tenant's turn.
    private func turn(
        _ tenant: TenantID, _ taken: Inbox, ending: [DeviceID: Timestamp]?, at now: Timestamp
    ) async throws {
        var facts = taken.facts[tenant] ?? TenantFacts()
        let known = desks.withLock { $0[tenant] }
        var desk: AlertDesk
        if let known, !taken.doubted.contains(tenant) {
            desk = known
        } else {
            let loaded = try await load(tenant, at: now)
            desk = loaded.desk
            // What is stored is as new as what was heard.
            facts.devices = loaded.facts.devices
            facts.operations.formUnion(loaded.facts.operations)
            facts.campaigns.formUnion(loaded.facts.campaigns)
            facts.moved.formUnion(loaded.facts.moved)
        }
        if taken.rules.contains(tenant) {
            (desk.rules, desk.tree) = try await database.tenant(tenant).read {
                (try RuleStore.all(in: $0), try Self.tree(in: $0))
            }
            desk.lookAt = now
        }
        for (alert, marks) in taken.marks[tenant] ?? [:] {
            guard let open = desk.book.open[alert] else { continue }
            desk.marks[alert] = marks
            desk.book.mark(alert, isAcknowledged: marks.isAcknowledged)
            desk.lookAt = now
            if let operation = open.subject.operation { facts.operations.insert(operation) }
        }
        for (subject, until) in taken.silences[tenant] ?? [:] {
            desk.silences[subject] = until
            // It counts for every alert of the place that is silenced, as it does on disk.
            for alert in desk.book.open.values
            where alert.subject == subject && desk.marks[alert.id]?.silenced != nil {
                desk.marks[alert.id]?.silenced = until
            }
            desk.lookAt = now
        }
        for (device, fact) in facts.devices.sorted(by: { $0.key < $1.key }) {
            desk.book.take(fact, of: device, home: fleet.home(of: device), wave: fleet.wave(of: device), at: now)
        }
        for device in facts.moved where desk.book.missing[device] != nil {
            desk.book.move(device, home: fleet.home(of: device), wave: fleet.wave(of: device), at: now)
        }
        if let ending {
            var devices: [DeviceID: (home: DomainID, end: Timestamp)] = [:]
            for (device, end) in ending {
                if let home = fleet.home(of: device) { devices[device] = (home, end) }
            }
            desk.book.takeExpiring(devices, at: now)
        }
        if known == nil || taken.doubted.contains(tenant) { desk.book.closeEmpty(certificates: ending != nil) }
        desk.retried.merge(facts.retried) { max($0, $1) }
        if !facts.operations.isEmpty { try await look(at: facts.operations, of: tenant, &desk, at: now) }
        if !facts.campaigns.isEmpty { try await look(atCampaigns: facts.campaigns, of: tenant, &desk, at: now) }
        desk.book.age(before: now - .seconds(WatchLimits.agedDays * 86_400))
        try await write(&desk, of: tenant, at: now)
        try await tell(&desk, of: tenant, at: now)
        let result = desk
        let hasChanged = known?.book.open != result.book.open || known?.marks != result.marks
        desks.withLock { $0[tenant] = result }
        if hasChanged { bus.publish(AlertsChanged(tenant: tenant)) }
    }

    /// Reads a tenant's alerts and what may have become of its devices and operations since they were written.
    private func load(_ tenant: TenantID, at now: Timestamp) async throws -> (desk: AlertDesk, facts: TenantFacts) {
        let since = now - .seconds(WatchLimits.operationDays * 86_400)
        return try await database.tenant(tenant).read { [fleet, operations] transaction in
            let missing = try fleet.missing(in: transaction)
            let silent = Set(missing.filter(\.isSilent).map(\.device))
            var desk = AlertDesk()
            (desk.book, desk.marks, desk.silences) = try AlertStore.load(silent: silent, at: now, in: transaction)
            desk.rules = try RuleStore.all(in: transaction)
            desk.tree = try Self.tree(in: transaction)
            desk.lookAt = now
            if try OwedNotice.areAny(in: transaction) { desk.owedAt = now }
            var facts = TenantFacts()
            for device in desk.book.missing.keys { facts.devices[device] = .back }
            // It may live elsewhere meanwhile, or the server stopped before that was written whole.
            facts.moved = Set(desk.book.missing.keys)
            for device in missing {
                facts.devices[device.device] = device.isSilent ? .silent(device.since) : .late(device.since)
            }
            facts.operations = Set(try operations.failing(since: since, in: transaction))
            facts.operations.formUnion(desk.book.open.values.compactMap(\.subject.operation))
            facts.campaigns = Set(try operations.pausedCampaigns(in: transaction))
            facts.campaigns.formUnion(desk.book.open.values.compactMap(\.subject.campaign))
            return (desk, facts)
        }
    }

    private func look(
        at operations: Set<OperationID>, of tenant: TenantID, _ desk: inout AlertDesk, at now: Timestamp
    ) async throws {
        let retried = desk.retried
        let found = try await database.tenant(tenant).read { [self] transaction in
            try self.operations.failures(of: operations.sorted(), in: transaction).map { failures in
                // A domain that is gone meanwhile leaves its alerts to the whole tenant.
                let named = try? access.domain(failures.domain, tenant: tenant, in: transaction)
                let domain = try named ?? access.domain(nil, tenant: tenant, in: transaction)
                let dealtWith = try AlertStore.dealtWith(.operation(failures.operation), in: transaction)
                let since = [dealtWith, retried[failures.operation]].compactMap(\.self).max()
                let fresh =
                    try since.map { try self.operations.failures(of: failures.operation, since: $0, in: transaction) }
                    ?? failures.failures
                return (failures: failures, domain: domain, fresh: fresh)
            }
        }
        for (failures, domain, fresh) in found {
            let operation = failures.operation
            let open = desk.book.alert(about: operation)
            let isAcknowledged = open.flatMap { desk.marks[$0.id]?.isAcknowledged } ?? false
            desk.book.take(
                failures, domain: domain, fresh: fresh, isRetried: retried[operation] != nil,
                isAcknowledged: isAcknowledged, at: now)
            // Once it has an alert of its own, or none, what was tried again is forgotten.
            if desk.book.alert(about: operation).map({ $0.id != open?.id }) ?? true { desk.retried[operation] = nil }
        }
        for gone in operations.subtracting(found.map(\.failures.operation)) { desk.book.forget(gone) }
    }

    private func look(
        atCampaigns campaigns: Set<CampaignID>, of tenant: TenantID, _ desk: inout AlertDesk, at now: Timestamp
    ) async throws {
        let found = try await database.tenant(tenant).read { [self] transaction in
            try campaigns.sorted().map { id in
                let standing = try operations.standing(of: id, in: transaction)
                // A domain that is gone meanwhile leaves its alerts to the whole tenant.
                let named = try? access.domain(standing?.domain, tenant: tenant, in: transaction)
                return (
                    id: id, standing: standing,
                    domain: try named ?? access.domain(nil, tenant: tenant, in: transaction)
                )
            }
        }
        for (id, standing, domain) in found { desk.book.take(standing, of: id, domain: domain, at: now) }
    }

    // MARK: - Writing

    /// Writes what changed: who left, alerts, their devices in parts, and what is closed last, with the messages that say
    /// so.
    private func write(_ desk: inout AlertDesk, of tenant: TenantID, at now: Timestamp) async throws {
        let changes = desk.book.takeChanges()
        if changes.isEmpty { return }
        let closed = Dictionary(changes.closed.map { ($0.alert.id, $0) }, uniquingKeysWith: { $1 })
        let (handle, rules, tree) = (database.tenant(tenant), desk.rules, desk.tree)
        let silences = desk.silences.filter { $0.value > now }
        let alerts = changes.changed.sorted().compactMap { desk.book.open[$0] ?? closed[$0]?.alert }
        for id in changes.opened {
            guard let alert = desk.book.open[id], let silenced = silences[alert.subject] else { continue }
            desk.marks[id, default: AlertMarks()].silenced = silenced
        }
        let (missing, expiring) = (desk.book.missing, desk.book.expiring)
        var joined = changes.joined.filter { member in
            missing[member.device]?.alert == member.alert || expiring[member.device]?.alert == member.alert
        }[...]
        // Before they are in another one: a stop in between leaves none in two.
        let left = changes.left.filter { closed[$0.key] == nil }.sorted { $0.key < $1.key }
        if !left.isEmpty {
            try await handle.write { transaction -> Void in
                for (alert, devices) in left { try AlertStore.leave(alert, devices, in: transaction) }
            }
        }
        var rest = alerts[...]
        repeat {
            let (some, members) = (rest.prefix(WatchLimits.toldAtOnce), joined.prefix(WatchLimits.rowsAtOnce))
            rest = rest.dropFirst(some.count)
            // Devices are written when every alert is.
            let isLast = rest.isEmpty
            if isLast { joined = joined.dropFirst(members.count) }
            try await handle.write { transaction -> Void in
                for alert in some {
                    try AlertStore.put(
                        alert, severity: alert.severity(by: rules, in: tree), silenced: silences[alert.subject],
                        in: transaction)
                }
                if isLast { try AlertStore.join(members, in: transaction) }
            }
        } while !rest.isEmpty || !joined.isEmpty
        var over = changes.closed[...]
        let marks = desk.marks
        while !over.isEmpty {
            let some = over.prefix(WatchLimits.toldAtOnce)
            over = over.dropFirst(some.count)
            let told = try await handle.write { [self] transaction in
                var notices = AlertNotices(self, tenant, at: now)
                for (alert, end) in some {
                    try AlertStore.close(alert.id, end, at: now, in: transaction)
                    // Who was not told of it needs not hear that it is over.
                    notices.leaveOut(try OwedNotice.withdraw(alert.id, in: transaction), of: alert.id)
                    if marks[alert.id]?.silenced.map({ $0 > now }) ?? false { continue }
                    for rule in rules
                    where rule.isActive && rule.tellsBack && alert.told[rule.id]?.isCovered == false {
                        try notices.add(.closed(alert, end), by: rule, in: transaction)
                    }
                }
                let told = try notices.send(in: transaction)
                try OwedNotice.keep(told.owed, at: now, in: transaction)
                for (alert, _) in some {
                    try transaction.execute("DELETE FROM alert_device WHERE tenant = $1 AND alert = $2", alert.id)
                }
                return told
            }
            count(told)
            if !told.owed.isEmpty { desk.owe(at: now) }
        }
        for id in closed.keys { desk.marks[id] = nil }
        counters.opened.add(changes.opened.count)
        counters.closed.add(closed.count)
        desk.lookAt = now
    }

    func count(_ told: AlertNotices.Result) {
        counters.told.add(told.sent)
        counters.untold.add(told.refused)
    }

    /// A tenant's tree.
    static func tree(in transaction: Transaction) throws -> DomainLines {
        var tree = DomainLines()
        try transaction.forEach("SELECT id, parent FROM domain WHERE tenant = $1 AND parent IS NOT NULL") { row in
            tree.parents[try row.identifier(0)] = try row.identifier(1)
        }
        return tree
    }
}
