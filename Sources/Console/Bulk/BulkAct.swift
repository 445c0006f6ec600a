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

/// An action on the ticked devices of a list, or on all that match its filter, on however many pages they are.
struct BulkPage: PageView {
    static let template = "bulk"
    static let menu: MenuItem? = .devices

    /// The question before.
    struct Asks: Sendable {
        let effect: String
        let address: String
        let hidden: [DevicesPage.Hidden]
        let act: String
        let verb: String
        let isDangerous: Bool
        /// Where to, for a move.
        let places: Places?
    }

    /// The domains that a move can go to.
    struct Places: Sendable {
        let paths: [String]
        let path: String
        let fault: String?
    }

    /// What came of it.
    struct Result: Sendable {
        let summary: String
        let faults: [ErrorPage.Fault]
    }

    let title: String
    let asks: Asks?
    let result: Result?
    let back: String
}

enum BulkAct {
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard let act = DeviceAct(rawValue: visit.form.exact("act")), act != .connect, act != .delete else {
            throw Refusal(.invalid, "act.unknown", "There is no such action.")
        }
        let selection = DeviceSelection(visit.form)
        let back = "\(visit.home)/devices\(selection.with { _ in }.query)"
        let isAll = visit.form.has("all")
        let ticked = visit.form.texts("device").compactMap { DeviceID(text: $0) }
        let count =
            isAll
            ? try await console.fleet.count(
                filter: selection.condition, in: visit.tenant.id, by: visit.principal) : ticked.count
        guard count > 0 else {
            return .seeOther(back, done: .nothingTicked)
        }
        let target = act == .move ? try await Self.target(console, visit) : nil
        guard visit.form.has("sure"), act != .move || target?.id != nil else {
            return try await ask(act, selection, ticked, isAll: isAll, count, target, back, console, visit)
        }
        if isAll, count > FleetLimits.bulkStep {
            let run = try await console.beginBulk(
                act, target: target?.id, filter: selection.condition, total: count, visit)
            return .seeOther("\(visit.home)/devices/bulk/\(run.id.text)")
        }
        let step = try await atOnce(act, target?.id, selection, isAll ? nil : ticked, console, visit)
        return .show(
            BulkPage(
                title: "\(act.verb): done", asks: nil,
                result: .init(
                    summary: "\(step.done.grouped) of \((step.done + step.refused.count).grouped) done.",
                    faults: step.refused.prefix(100).map { .init(place: $0.name, message: $0.message) }), back: back))
    }

    /// The domain that a move goes to: what was written, and its identifier when it is one.
    private static func target(
        _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> (path: String, id: String?)? {
        guard let path = visit.form.text("target") else { return nil }
        let clean = path.split(separator: "/").map { String($0.filter { !$0.isWhitespace }) }.joined(separator: "/")
        do {
            let domain = try await console.access.domain(
                clean.isEmpty ? "/" : clean, tenant: visit.tenant.id, by: visit.principal)
            return (path, domain.id.text)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            return (path, nil)
        }
    }

    private static func ask(
        _ act: DeviceAct, _ selection: DeviceSelection, _ ticked: [DeviceID], isAll: Bool, _ count: Int,
        _ target: (path: String, id: String?)?, _ back: String, _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> Outcome {
        let devices = count == 1 ? "1 device" : "\(count.grouped) devices"
        let kept =
            selection.with { _ in }.fields.map { DevicesPage.Hidden(name: $0.name, value: $0.value) }
            + (isAll
                ? [DevicesPage.Hidden(name: "all", value: "1")]
                : ticked.map { DevicesPage.Hidden(name: "device", value: $0.text) })
        var places: BulkPage.Places?
        let isWrong = visit.form.has("sure")
        if act == .move {
            let tree = try await console.tree(visit)
            let (offered, _) = tree.matching(nil, limit: ConsoleLimits.offeredNames)
            places = BulkPage.Places(
                paths: offered.filter { $0.parent != nil }.compactMap { tree.label($0.id) }, path: target?.path ?? "",
                fault: isWrong ? "There is no such domain. Name it by its path, such as plant / hall." : nil)
        }
        let page = BulkPage(
            title: "\(act.verb) \(devices)?",
            asks: .init(
                effect: count > FleetLimits.bulkStep && isAll
                    ? act.effect + " This goes on in the background; you can watch and stop it." : act.effect,
                address: "\(visit.home)/devices/bulk", hidden: kept, act: act.rawValue,
                verb: "\(act.verb) \(devices)", isDangerous: act.isDangerous, places: places), result: nil, back: back)
        return isWrong && act == .move ? .again(page) : .show(page)
    }

    /// Does it within the request: ticked devices are few, and so are those that match here.
    private static func atOnce(
        _ act: DeviceAct, _ target: String?, _ selection: DeviceSelection, _ ticked: [DeviceID]?,
        _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> (done: Int, refused: [BulkStep.Refused]) {
        let change: BulkChange =
            switch act {
            case .suspend: .suspend
            case .resume: .resume
            case .revoke: .revoke
            default: .move(to: target ?? "")
            }
        var (done, refused): (Int, [BulkStep.Refused]) = (0, [])
        var range = BulkRange(filter: ticked == nil ? selection.condition : nil, devices: ticked)
        // Ticked devices are at most a form's fields.
        for _ in 0...(ConsoleLimits.formFields / FleetLimits.bulkStep) {
            let step = try await console.fleet.step(
                change, range, limit: FleetLimits.bulkStep, in: visit.tenant.id, by: visit.principal)
            done += step.done
            refused += step.refused
            range.after = step.last ?? range.after
            if step.isEnd { break }
        }
        return (done, refused)
    }
}
