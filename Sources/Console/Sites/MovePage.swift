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

/// The move of a device or domain: where to, then what it would do, then done.
struct MovePage: PageView {
    static let template = "sites-move"
    static let menu: MenuItem? = .sites

    /// A domain to which it can go.
    struct Target: Sendable {
        let label: String
        let targetAddress: String
    }

    /// The choice of a domain.
    struct Picker: Sendable {
        let find: String
        let hidden: [DevicesPage.Hidden]
        let targets: [Target]
        let pickerNote: String
    }

    /// What the move would do.
    struct Asks: Sendable {
        let from: String
        let to: String
        let preview: ReachPreview
        let fields: [DevicesPage.Hidden]
        let otherAddress: String
    }

    let title: String
    let address: String
    let back: String
    let picker: Picker?
    let asks: Asks?
}

/// What is moved.
enum MoveSubject: Sendable {
    case device(Device)
    case domain(Domain)

    /// What an address or a form names.
    init(_ console: ConsoleParts, _ visit: TenantVisit, _ fields: FormFields, _ tree: DomainTree) async throws {
        if let device = fields.text("device") {
            self = .device(
                try await console.fleet.show(device, in: visit.tenant.id, by: visit.principal).device)
            return
        }
        guard let text = fields.text("domain"), let domain = tree.domain(text) else {
            throw Refusal(.notFound, "domain.unknown", "There is no such domain, or it is not for you.")
        }
        self = .domain(domain)
    }

    var name: String {
        switch self {
        case .device(let device): device.name.text
        case .domain(let domain): domain.name
        }
    }

    /// Where it is now.
    var place: DomainID? {
        switch self {
        case .device(let device): device.domain
        case .domain(let domain): domain.parent
        }
    }

    var field: DevicesPage.Hidden {
        switch self {
        case .device(let device): .init(name: "device", value: device.name.text)
        case .domain(let domain): .init(name: "domain", value: domain.id.text)
        }
    }
}

extension MovePage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let tree = try await console.tree(visit)
        let subject = try await MoveSubject(console, visit, visit.query, tree)
        let (tenant, principal, field) = (visit.tenant.id, visit.principal, subject.field)
        address = "\(visit.home)/sites/move"
        let own = "\(address)?\(field.name)=\(field.value.percentEncoded)"
        back = subject.place.map { "\(visit.home)/sites?at=\($0.text)" } ?? "\(visit.home)/sites"
        guard let wanted = visit.query.text("to") else {
            title = "Move \(subject.name)"
            let find = visit.query.text("find")
            let (found, hasMore) = tree.matching(
                find, limit: ConsoleLimits.siteRows, except: Self.excluded(subject, tree))
            picker = Picker(
                find: find ?? "", hidden: [field],
                targets: found.map {
                    .init(label: tree.label($0.id) ?? $0.name, targetAddress: "\(own)&to=\($0.id.text)")
                },
                pickerNote: found.isEmpty
                    ? "No domain to move it to\(find.map { " has “\($0)” in its path" } ?? "")."
                    : hasMore ? "These are the first \(found.count); find others by their name." : "")
            asks = nil
            return
        }
        guard let target = tree.domain(wanted) else {
            throw Refusal(.notFound, "domain.unknown", "There is no such domain, or it is not for you.")
        }
        let change: ReachChange =
            switch subject {
            case .device(let device):
                try await console.fleet.previewMove(
                    device.id.text, to: target.id.text, in: tenant, by: principal)
            case .domain(let domain):
                try await console.access.previewMove(
                    domain: domain.id.text, below: target.id.text, tenant: tenant, by: principal)
            }
        title = "Move \(subject.name) to \(target.name)?"
        picker = nil
        asks = Asks(
            from: subject.place.flatMap { tree.label($0) } ?? "–", to: tree.label(target.id) ?? target.name,
            preview: ReachPreview(change, console), fields: [field, .init(name: "to", value: target.id.text)],
            otherAddress: own)
    }

    /// Where it can not go: where it is, and for a domain itself and all below.
    private static func excluded(_ subject: MoveSubject, _ tree: DomainTree) -> Set<DomainID> {
        var left: Set<DomainID> = []
        if case .domain(let domain) = subject { left = tree.subtree(of: domain.id) }
        if let place = subject.place { left.insert(place) }
        return left
    }

    /// Makes the move.
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let tree = try await console.tree(visit)
        let subject = try await MoveSubject(console, visit, visit.form, tree)
        guard let target = tree.domain(visit.form.text("to") ?? "-") else {
            throw Refusal(.notFound, "domain.unknown", "There is no such domain, or it is not for you.")
        }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let object: Move.Object
        switch subject {
        case .device(let device):
            var change = DeviceChange()
            change.domain = target.id.text
            _ = try await console.fleet.update(device.id.text, change, in: tenant, by: principal)
            object = .device(device.id)
        case .domain(let domain):
            _ = try await console.access.changeDomain(
                domain.id.text, below: target.id.text, tenant: tenant, by: principal)
            object = .domain(domain.id)
        }
        let at: DomainID = if case .domain(let domain) = subject { domain.id } else { target.id }
        let move = try await console.access.latestMove(of: object, tenant: tenant, by: principal)
        return .seeOther("\(visit.home)/sites?at=\(at.text)\(move.map { "&undo-move=\($0.text)" } ?? "")")
    }

    /// Puts back what was moved.
    static func undo(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        guard let id = MoveID(text: visit.path("move")) else { throw Access.unknown("move") }
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let at: DomainID =
            if try await console.access.isMoveOfDevice(id, tenant: tenant, by: principal) {
                try await console.fleet.undoMove(id, in: tenant, by: principal).domain
            } else {
                try await console.access.undoMove(ofDomain: id, tenant: tenant, by: principal).id
            }
        return .seeOther("\(visit.home)/sites?at=\(at.text)", done: .undone)
    }
}
