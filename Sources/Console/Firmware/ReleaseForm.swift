import Access
import Base
import Northbound
import Operations

/// The form with which a release is begun, and a draft changed.
struct ReleaseForm: PageView {
    static let template = "release-form"
    static let menu: MenuItem? = .firmware

    let title: String
    let action: String
    let component: String
    let components: [String]
    let version: String
    let counter: String
    let hardware: String
    let notes: String
    let supportEnds: String
    let zone: String
    let fault: String?
    let faults: [ErrorPage.Fault]
    let verb: String
    let list: String
    let back: String
}

extension ReleaseForm {
    /// The form of a new release or of a draft, as it was sent or as it stands.
    init(
        _ console: ConsoleParts, _ visit: TenantVisit, _ release: Release?, _ sent: FormFields?,
        refusal: Refusal? = nil
    ) async throws {
        list = "\(visit.home)/firmware/releases"
        let here = release.map { "\(visit.home)/firmware/releases/\($0.id.text)" }
        title = release.map { "Edit \($0.component) \($0.version)" } ?? "New release"
        action = here.map { "\($0)/edit" } ?? "\(list)/new"
        back = here ?? list
        verb = release == nil ? "Make the draft" : "Save"
        func value(_ name: String, _ stored: String?) -> String {
            sent.map { $0.exact(name) } ?? stored ?? ""
        }
        component = value("component", release?.component)
        version = value("version", release?.version)
        counter = value("counter", (release?.counter).map { String($0) })
        hardware = value("hardware", release?.hardware.joined(separator: "\n"))
        notes = value("notes", release?.notes)
        supportEnds = value("supportEnds", (release?.supportEnds).map { String(TypedTime.text($0).prefix(10)) })
        zone = TypedTime.zone
        let tenant = visit.tenant.id
        components = try await console.operations.componentReleases(in: tenant, by: visit.principal).map(\.component)
            .prefix(ConsoleLimits.offeredNames).map { $0 }
        fault = refusal?.message
        faults = refusal?.faults.map { .init(place: Self.label($0.place), message: $0.message) } ?? []
    }

    /// A field of the form by the place of a fault.
    private static func label(_ place: String) -> String {
        switch place.split(separator: "/").first {
        case "version": "Version"
        case "counter": "Counter"
        case "hardware": "Hardware"
        case "notes": "What is new"
        case "supportEnds": "Looked after until"
        default: place
        }
    }

    /// Takes the form: begins a draft, or changes the one that is there.
    static func take(_ console: ConsoleParts, _ visit: TenantVisit, _ release: Release?) async throws -> Outcome {
        let form = visit.form
        do {
            let draft = try Self.draft(form, release)
            let (tenant, principal) = (visit.tenant.id, visit.principal)
            let made =
                if let release {
                    try await console.operations.changeRelease(release.id, draft, in: tenant, by: principal)
                } else {
                    try await console.operations.createRelease(draft, in: tenant, by: principal)
                }
            console.tellOfFirmware(visit)
            return .seeOther(
                "\(visit.home)/firmware/releases/\(made.id.text)", done: release == nil ? .created : .saved)
        } catch let refusal as Refusal where [.invalid, .conflict, .limited].contains(refusal.kind) {
            return .again(try await ReleaseForm(console, visit, release, form, refusal: refusal))
        }
    }

    private static func draft(_ form: FormFields, _ release: Release?) throws -> ReleaseDraft {
        guard let component = form.text("component").flatMap({ Name($0) }) else {
            throw Refusal(
                .invalid, "release.invalid",
                "A component's name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.")
        }
        let counter = try form.text("counter").map { text in
            guard let number = Int64(text), number > 0 else {
                throw Refusal(.invalid, "release.invalid", "The counter is a number from 1 on; empty, it counts on.")
            }
            return number
        }
        let hardware = form.exact("hardware").split { $0.isNewline }.map {
            String($0.trimmingPrefix { $0.isWhitespace }.reversed().trimmingPrefix { $0.isWhitespace }.reversed())
        }
        return ReleaseDraft(
            component: component, version: form.text("version") ?? "", counter: counter,
            hardware: hardware.filter { !$0.isEmpty }, notes: form.text("notes") ?? "",
            supportEnds: try form.endOfDay("supportEnds"), artifacts: release?.artifacts.map(\.id) ?? [],
            sbom: release?.sbom?.id)
    }
}
