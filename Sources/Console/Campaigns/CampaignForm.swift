import Access
import Base
import Fleet
import Northbound
import Operations

/// The form with which a campaign is ordered: what, for which devices, in which steps, when; then what it would do.
struct CampaignForm: PageView {
    static let template = "campaign-form"
    static let menu: MenuItem? = .firmware

    /// The question before: how many devices each group would have.
    struct Asks: Sendable {
        struct Group: Sendable {
            let name: String
            let words: String
        }

        let effect: String
        let groups: [Group]
        let verb: String
        /// What the question was about: another order is asked about anew.
        let seen: String
    }

    let title = "New campaign"
    let action: String
    let releases: [DevicesPage.Choice]
    let hasReleases: Bool
    let name: String
    let filter: String
    let groups: String
    let success: String
    let error: String
    let sample: String
    let starts: String
    let from: String
    let to: String
    let days: [DevicesPage.Choice]
    let life: String
    let timeout: String
    let retries: String
    let takesNewcomers: Bool
    let needsSecond: Bool
    let zone: String
    let fault: String?
    let faults: [ErrorPage.Fault]
    let filterFault: FilterFault?
    let asks: Asks?
    let list: String
}

extension CampaignForm {
    /// The form, empty or as it came; `asks` is set when everything in it is good.
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ form: FormFields, refusal: Refusal? = nil,
        filterFault: FilterFault? = nil, asks: Asks? = nil
    ) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let isSent = form.has("groups")
        func value(_ name: String, _ usual: String) -> String { isSent ? form.exact(name) : form.text(name) ?? usual }
        list = "\(visit.home)/firmware/campaigns"
        action = "\(list)/new"
        let chosen = form.text("release").flatMap { ReleaseID(text: $0) }
        releases = try await console.operations.componentReleases(in: tenant, by: principal).flatMap { line in
            line.versions.filter(\.isPublished).map { version in
                .init(
                    value: version.release.text,
                    label: "\(line.component) \(version.version)\(version == line.newest ? " (newest)" : "")",
                    isOn: version.release == chosen)
            }
        }
        hasReleases = !releases.isEmpty
        name = form.text("title") ?? ""
        filter = form.text("filter") ?? ""
        groups = value("groups", "5, 25, 70")
        success = value("success", "90")
        error = value("error", "20")
        sample = value("sample", "5")
        starts = value("starts", "")
        (from, to) = (value("from", ""), value("to", ""))
        let ticked = form.texts("day")
        days = zip(MaintenanceWindow.days, ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]).map { day, label in
            .init(value: day, label: label, isOn: ticked.isEmpty || ticked.contains(day))
        }
        (life, timeout, retries) = (value("life", "7"), value("timeout", "60"), value("retries", "0"))
        takesNewcomers = form.has("newcomers")
        needsSecond = try await console.operations.needsSecondForCampaigns(in: tenant, by: principal)
        zone = TypedTime.zone
        fault = refusal?.message
        faults = refusal?.faults.map { .init(place: Self.label($0.place), message: $0.message) } ?? []
        self.filterFault = filterFault
        self.asks = asks
    }

    /// What people call a place of the order.
    private static func label(_ place: String) -> String {
        let steps = place.split(separator: "/")
        return switch (steps.first, steps.dropFirst().first) {
        case ("groups", _): "Groups"
        case ("rules", "success"): "The next group begins"
        case ("rules", "error"): "It pauses"
        case ("rules", "sample"): "Judged from"
        case ("terms", "starts"): "Starts"
        case ("terms", "life"): "A device must call within"
        case ("terms", "timeout"): "A device may take"
        case ("terms", "retries"): "Tried again"
        case ("terms", _): "Given out"
        case ("title", _): "Called"
        default: place
        }
    }

    /// Takes the form: asks first, with what each group would have, then orders.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let form = visit.form
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        if let wrong = form.text("filter").flatMap({ FilterFault(in: $0) }) {
            return .again(try await CampaignForm(console, visit, form, filterFault: wrong))
        }
        do {
            let draft = try Self.draft(form)
            let seen = form.pairs.filter { !["seen", "form-token"].contains($0.name) }
                .map { "\($0.name)=\($0.value)" }.joined(separator: "&").percentEncoded
            guard form.text("seen") == seen else {
                let preview = try await console.operations.previewCampaign(draft, in: tenant, by: principal)
                return .show(try await CampaignForm(console, visit, form, asks: try Self.asks(preview, draft, seen)))
            }
            let campaign = try await console.operations.createCampaign(draft, in: tenant, by: principal)
            return .seeOther("\(visit.home)/firmware/campaigns/\(campaign.id.text)", done: .created)
        } catch let refusal as Refusal where [.invalid, .limited, .conflict, .tooLarge].contains(refusal.kind) {
            return .again(try await CampaignForm(console, visit, form, refusal: refusal))
        }
    }

    private static func asks(_ preview: CampaignPreview, _ draft: CampaignDraft, _ seen: String) throws -> Asks {
        guard preview.members > 0 || draft.takesNewcomers else { throw preview.nothing }
        let news = preview.members - preview.upToDate
        return Asks(
            effect: "For \(preview.members.counted("device", "devices")) that match now, as far as you may; "
                + (preview.upToDate == 0
                    ? "none has the release yet."
                    : "\(preview.upToDate.grouped) have the release already, or a later one.")
                + (preview.misfits == 0
                    ? ""
                    : " \(preview.misfits.counted("device has", "devices have")) other hardware and get nothing."),
            groups: zip(1..., preview.groups).map { number, group in
                .init(
                    name: "Group \(number)",
                    words: group.members.counted("device", "devices")
                        + (group.upToDate > 0 ? ", \(group.upToDate.grouped) of them up to date" : ""))
            }, verb: "Roll it out to \(news.counted("device", "devices"))", seen: seen)
    }

    private static func draft(_ form: FormFields) throws -> CampaignDraft {
        guard let release = form.text("release").flatMap({ ReleaseID(text: $0) }) else {
            throw wrong("Choose a release.")
        }
        let shares = try (form.text("groups") ?? "100").split { $0 == "," || $0 == ";" || $0.isWhitespace }.map {
            text in
            guard let percent = Int(text.hasSuffix("%") ? text.dropLast() : text) else {
                throw wrong("Groups are percentages that make 100 together, such as 5, 25, 70.")
            }
            return CampaignDraft.Share.percent(percent)
        }
        let retries = try number("retries", "How often it is tried again", 0, form)
        var terms = OperationTerms(
            life: try hold(number("life", "The days within which a device must call", 7, form), times: 86_400),
            timeout: try hold(number("timeout", "The minutes that a device may take", 60, form), times: 60),
            retries: retries == 0 ? [:] : [.failed: retries, .timedOut: retries], windows: try windows(form))
        if let text = form.text("starts") {
            guard let starts = TypedTime.moment(text) else {
                throw wrong("The start is a date and time such as 2027-01-31T18:00, in \(TypedTime.zone).")
            }
            terms.starts = starts
        }
        return CampaignDraft(
            release, .filter(form.text("filter")), title: form.text("title"), groups: shares,
            rules: CampaignRules(
                success: try number("success", "The percentage at which the next group begins", 90, form),
                error: form.has("groups") && form.text("error") == nil
                    ? nil : try number("error", "The percentage of failures at which it pauses", 20, form),
                sample: try number("sample", "The number of devices from which on it is judged", 5, form)),
            terms: terms, takesNewcomers: form.has("newcomers"))
    }

    private static func windows(_ form: FormFields) throws -> [MaintenanceWindow] {
        guard let from = form.text("from") ?? form.text("to") else { return [] }
        let days = form.texts("day")
        return [
            try MaintenanceWindow([
                "days": .array((days.isEmpty ? MaintenanceWindow.days : days).map { .string($0) }),
                "from": .string(String((form.text("from") ?? from).prefix(5))),
                "to": .string(String((form.text("to") ?? from).prefix(5))), "zone": .string(TypedTime.zone),
            ])
        ]
    }

    private static func number(_ field: String, _ label: String, _ usual: Int, _ form: FormFields) throws -> Int {
        guard let text = form.text(field) else { return usual }
        guard let number = Int(text), (0...1_000_000_000).contains(number) else {
            throw wrong("\(label) is a whole number.")
        }
        return number
    }

    private static func hold(_ number: Int, times length: Int64) -> Int64 { Int64(number) * length }

    private static func wrong(_ message: String) -> Refusal { Refusal(.invalid, "campaign.invalid", message) }
}
