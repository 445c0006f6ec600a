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
        let ticked = visit.form.texts("device")
        let count =
            isAll
            ? try await console.fleet.count(
                filter: selection.condition, in: visit.tenant.id, by: visit.principal) : ticked.count
        guard count > 0 else {
            return .seeOther(back, done: .nothingTicked)
        }
        guard count <= ConsoleLimits.bulkDevices else {
            throw Refusal(
                .tooLarge, "bulk.tooMany",
                "\(count.grouped) devices match; one action takes \(ConsoleLimits.bulkDevices.grouped). Narrow the filter."
            )
        }
        let devices = count == 1 ? "1 device" : "\(count.grouped) devices"
        guard visit.form.has("sure") else {
            let kept =
                selection.with { _ in }.fields.map { DevicesPage.Hidden(name: $0.name, value: $0.value) }
                + (isAll
                    ? [DevicesPage.Hidden(name: "all", value: "1")]
                    : ticked.map { DevicesPage.Hidden(name: "device", value: $0) })
            return .show(
                BulkPage(
                    title: "\(act.verb) \(devices)?",
                    asks: .init(
                        effect: act.effect, address: "\(visit.home)/devices/bulk", hidden: kept, act: act.rawValue,
                        verb: "\(act.verb) \(devices)", isDangerous: act.isDangerous), result: nil, back: back))
        }
        let chosen = isAll ? try await all(selection, console, visit) : ticked
        var faults: [ErrorPage.Fault] = []
        for device in chosen {
            do {
                try await act.act(on: device, console, visit)
            } catch let refusal as Refusal where refusal.code != PageTable.stepUp {
                faults.append(.init(place: device, message: refusal.message))
            }
        }
        let good = chosen.count - faults.count
        return .show(
            BulkPage(
                title: "\(act.verb): done",
                asks: nil,
                result: .init(
                    summary: "\(good.grouped) of \(chosen.count.grouped) done.", faults: Array(faults.prefix(100))),
                back: back))
    }

    /// Every device that matches, read before any is changed: the change may take it out of the filter.
    private static func all(
        _ selection: DeviceSelection, _ console: ConsoleParts, _ visit: TenantVisit
    ) async throws -> [String] {
        var found: [String] = []
        var cursor: String?
        repeat {
            let page = try await console.fleet.list(
                DeviceQuery(filter: selection.condition, cursor: cursor, limit: 1000), in: visit.tenant.id,
                by: visit.principal)
            found += page.items.map(\.device.id.text)
            cursor = page.next
        } while cursor != nil && found.count < ConsoleLimits.bulkDevices
        return found
    }
}
