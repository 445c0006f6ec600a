import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// How far a bulk run has come, and what came of it.
struct BulkRunPage: PageView {
    static let template = "bulk-run"
    static let menu: MenuItem? = .devices

    let title: String
    let badge: Badge
    let words: String
    let began: Moment
    /// Thousandths that are through, for the bar.
    let through: Int
    let progress: String
    let fault: String?
    let faults: [ErrorPage.Fault]
    let hasFaults: Bool
    let more: String?
    let isRunning: Bool
    let address: String
    let stopAddress: String?
    let resumeAddress: String?
    let list: String
    let all: String
}

/// The tenant's bulk runs, the newest first.
struct BulkListPage: PageView {
    static let template = "bulk-runs"
    static let menu: MenuItem? = .devices

    struct Line: Sendable {
        let words: String
        let runAddress: String
        let progress: String
        let badge: Badge
        let time: Moment
    }

    let title = "Bulk acts"
    let lines: [Line]
    let isNone: Bool
    let older: String?
    let list: String
}

extension BulkRun {
    func words(_ tree: DomainTree?) -> String {
        let what = filter.map { "devices that match \($0)" } ?? "all devices"
        let place = target.flatMap { text in DomainID(text: text).flatMap { tree?.label($0) } ?? text }
        return act == .move ? "Move \(what) to \(place ?? "–")" : "\(act.verb) \(what)"
    }

    /// Running, but by no process that is there: the server was stopped meanwhile.
    func badge(isAtWork: Bool) -> Badge {
        switch status {
        case .running: isAtWork ? .good("Running") : .warning("Interrupted")
        case .finished: refused == 0 ? .good("Finished") : .warning("Finished, with refusals")
        case .stopped: .off("Stopped")
        case .failed: .critical("Failed")
        }
    }

    var progress: String {
        "\(done.grouped) done, \(refused.grouped) refused, of \(total.grouped) that matched when it began"
    }
}

extension BulkRunPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let underWay = console.bulk.underWay
        let run = try await console.bulkRun(visit)
        let refusals = try await console.database.tenant(visit.tenant.id).read {
            try BulkRunRow.refusals(of: run.id, in: $0)
        }
        let isAtWork = underWay.contains(run.id)
        let bulk = "\(visit.home)/devices/bulk"
        title = "\(run.act.verb) many devices"
        badge = run.badge(isAtWork: isAtWork)
        words = run.words(run.act == .move ? try await console.tree(visit) : nil)
        began = Moment(run.began)
        through = run.status == .finished ? 1000 : min((run.done + run.refused) * 1000 / max(run.total, 1), 1000)
        progress = run.progress
        fault =
            run.status == .running && !isAtWork
            ? "The server was stopped while this ran. What is counted is done; the rest is not." : run.fault
        faults = refusals.map { .init(place: $0.name, message: $0.message) }
        hasFaults = !faults.isEmpty
        more = run.refused > faults.count ? "and \((run.refused - faults.count).grouped) more" : nil
        isRunning = run.status == .running && isAtWork
        address = "\(bulk)/\(run.id.text)"
        stopAddress = run.status == .running ? address + "/stop" : nil
        resumeAddress = run.status == .finished || isRunning ? nil : address + "/resume"
        list = "\(visit.home)/devices"
        all = bulk
    }
}

extension BulkListPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let before = visit.query.text("before").flatMap { BulkRun.ID(text: $0) }
        let underWay = console.bulk.underWay
        let own = try await console.seesAllBulk(visit) ? nil : visit.principal.id
        let runs = try await console.database.tenant(visit.tenant.id).read {
            try BulkRunRow.list(before: before, of: own, limit: ConsoleLimits.siteRows + 1, in: $0)
        }
        let tree = runs.contains { $0.act == .move } ? try await console.tree(visit) : nil
        let bulk = "\(visit.home)/devices/bulk"
        let shown = runs.prefix(ConsoleLimits.siteRows)
        lines = shown.map { run in
            Line(
                words: run.words(tree), runAddress: "\(bulk)/\(run.id.text)",
                progress: "\(run.done.grouped) of \(run.total.grouped)",
                badge: run.badge(isAtWork: underWay.contains(run.id)), time: Moment(run.began))
        }
        isNone = lines.isEmpty
        older = runs.count > shown.count ? shown.last.map { "\(bulk)?before=\($0.id.text)" } : nil
        list = "\(visit.home)/devices"
    }
}

extension ConsoleParts {
    /// The run in the path.
    fileprivate func bulkRun(_ visit: TenantVisit) async throws -> BulkRun {
        let unknown = Refusal(.notFound, "bulk.unknown", "There is no such bulk act, or it is not for you.")
        guard let id = BulkRun.ID(text: visit.path("run")) else { throw unknown }
        guard let run = try await database.tenant(visit.tenant.id).read({ try BulkRunRow.find(id, in: $0) }) else {
            throw unknown
        }
        if run.principal == visit.principal.id { return run }
        guard try await seesAllBulk(visit) else { throw unknown }
        return run
    }

    /// Whether the visitor sees everybody's runs, which tell of devices and filters: who manages the whole tenant's
    /// devices does, everybody else sees their own.
    fileprivate func seesAllBulk(_ visit: TenantVisit) async throws -> Bool {
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        return try await database.tenant(tenant).read {
            try access.visibleDevices(principal, .deviceManage, tenant: tenant, in: $0) == .all
        }
    }

    /// Begins an act on all that match.
    func beginBulk(
        _ act: DeviceAct, target: String?, filter: String?, total: Int, _ visit: TenantVisit
    ) async throws -> BulkRun {
        let now = clock.now
        let run = BulkRun(
            id: BulkRun.ID(now: now), principal: visit.principal.id, act: act, target: target, filter: filter,
            total: total, done: 0, refused: 0, position: nil, status: .running, fault: nil, began: now, changed: now)
        let (access, principal, tenant) = (access, visit.principal, visit.tenant.id)
        try await database.tenant(tenant).write { tx in
            if act == .revoke { try access.proof.require(principal, for: .certificates, in: tx) }
            guard try BulkRunRow.countRunning(in: tx) < ConsoleLimits.bulkRuns else {
                throw Refusal(
                    .limited, "bulk.tooMany",
                    "\(ConsoleLimits.bulkRuns) bulk acts are under way in this organisation; stop one or wait.")
            }
            try BulkRunRow.prune(before: now - .seconds(ConsoleLimits.bulkDays * 86_400), in: tx)
            try BulkRunRow.insert(run, in: tx)
            try access.record(
                .bulkBegun, tenant, by: principal, "bulk", run.id.text,
                details: [
                    "act": .string(act.rawValue), "filter": filter.map { .string($0) } ?? .null,
                    "target": target.map { .string($0) } ?? .null, "matching": .integer(Int64(total)),
                ], in: tx)
        }
        bulk.take(run, in: tenant, by: principal)
        return run
    }

    /// Stops a run, or lets one go on that rests.
    func decideBulk(_ visit: TenantVisit, resumes: Bool) async throws -> Outcome {
        let run = try await bulkRun(visit)
        let (principal, tenant, now) = (visit.principal, visit.tenant.id, clock.now)
        let access = access
        let here = Outcome.seeOther("\(visit.home)/devices/bulk/\(run.id.text)")
        // Its last step may be under way still; then it goes on by itself, or is stopped in a moment.
        if resumes, bulk.underWay.contains(run.id) { return here }
        let isSet = try await database.tenant(tenant).write { tx in
            if resumes, run.act == .revoke { try access.proof.require(principal, for: .certificates, in: tx) }
            return resumes
                ? try BulkRunRow.set(
                    run.id, from: [.running, .stopped, .failed], to: .running, principal: principal.id, at: now, in: tx)
                : try BulkRunRow.set(run.id, from: [.running], to: .stopped, at: now, in: tx)
        }
        if resumes, isSet {
            let fresh = try await database.tenant(tenant).read { try BulkRunRow.find(run.id, in: $0) }
            if let fresh { bulk.take(fresh, in: tenant, by: principal) }
        }
        return here
    }
}
