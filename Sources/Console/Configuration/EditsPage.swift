import Access
import Base
import Fleet
import Northbound

/// Changes of many devices' own layers: those that were ordered, and the form of a further one.
struct EditsPage: PageView {
    static let template = "edits"
    static let menu: MenuItem? = .devices

    /// One that was ordered.
    struct Line: Sendable {
        let who: String
        let progress: String
        let standing: Badge
        let time: Moment
        /// Some of the devices that it was refused for.
        let refusals: String?
    }

    /// A way to name the devices.
    struct Way: Sendable {
        let value: String
        let label: String
        let isOn: Bool
    }

    let title = "Edit many devices"
    let list: String
    let address: String
    let ways: [Way]
    let filter: String
    let domain: String
    let text: String
    let change: String
    let fault: String?
    let faults: [ErrorPage.Fault]
    let asks: ConfigurationPage.Asks?
    let lines: [Line]
    let isNone: Bool
}

extension EditsPage {
    /// The page with a form; `refusal` or `asks` is what came of it.
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: EditForm, refusal: Refusal? = nil,
        asks: ConfigurationPage.Asks? = nil
    ) async throws {
        list = "\(visit.home)/devices"
        address = "\(visit.home)/configuration/edits"
        ways = EditForm.Way.allCases.map { .init(value: $0.rawValue, label: $0.label, isOn: $0 == form.way) }
        (filter, domain, text, change) = (form.filter, form.domain, form.list, form.change)
        fault = refusal?.message
        faults = refusal?.faults.map { .init(place: $0.place, message: $0.message) } ?? []
        self.asks = asks
        lines = try await console.fleet.edits(in: visit.tenant.id, by: visit.principal)
            .prefix(ConsoleLimits.siteRows).map(Line.init)
        isNone = lines.isEmpty
    }
}

extension EditsPage.Line {
    init(_ edit: DesiredEdit) {
        who = edit.creatorName
        progress =
            "\(edit.done.grouped) of \(edit.total.grouped) done"
            + (edit.refused == 0 ? "" : ", \(edit.refused.grouped) refused")
        standing =
            edit.finished == nil
            ? .good("Under way") : edit.refused == 0 ? .good("Finished") : .warning("Finished, with refusals")
        time = Moment(edit.created)
        let shown = edit.examples.prefix(3).map { "\($0.device): \($0.message)" }
        refusals = shown.isEmpty ? nil : shown.joined(separator: "; ")
    }
}
