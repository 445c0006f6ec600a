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

/// Roles lent to other organisations, and lent by them; the platform's staff come in by the same way.
struct SharesPage: PageView {
    static let template = "sites-shares"
    static let menu: MenuItem? = .sites

    struct Line: Sendable {
        let words: String
        let place: String
        let badge: Badge
        let ends: Moment
        let acceptAddress: String?
        let declineAddress: String?
        let endAddress: String?
    }

    /// The form of an offer.
    struct Offer: Sendable {
        let address: String
        let to: String
        let holder: String
        let place: String
        let device: String
        let until: String
        let roles: [DevicesPage.Choice]
        let reason: String
        /// Set where a second person must approve a role that decides about others.
        let second: String?
        let fault: String?
    }

    let title = "Shares"
    let tabs: [SitesTab]
    let given: [Line]
    let taken: [Line]
    let isNoneGiven: Bool
    let isNoneTaken: Bool
    let offer: Offer?
}

extension SharesPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, fault: String? = nil) async throws {
        let (tenant, principal, home) = (visit.tenant.id, visit.principal, visit.home)
        let (held, _) = try await console.reach(of: principal, in: visit.tenant)
        let tree = try await console.tree(visit)
        tabs = SitesTab.all(home, .shares, held)
        let all = try await console.access.shares(tenant: tenant, by: principal)
        let devices = all.filter { $0.owner == tenant }.compactMap(\.device)
        let names = GrantNames(try await console.names([], visit, devices: devices), tree)
        let mayManage = held.contains(.shareManage)
        given = all.filter { $0.owner == tenant }.map { Self.line($0, console, visit, names, mayManage) }
        taken = all.filter { $0.grantee == tenant }.map { Self.line($0, console, visit, names, mayManage) }
        (isNoneGiven, isNoneTaken) = (given.isEmpty, taken.isEmpty)
        guard mayManage else {
            offer = nil
            return
        }
        let wanted = visit.form.text("role") ?? "viewer"
        let whole = try await console.permissions(visit, at: visit.tenant.rootDomain)
        let needsSecond =
            whole.contains(.principalRead)
            ? try await console.access.needsSecondApprover(tenant: tenant, by: principal) : false
        let place = visit.form.text("domain") ?? visit.query.text("domain")
        let domain = place.flatMap { text in DomainID(text: text).flatMap { tree[$0] } }
        offer = Offer(
            address: "\(home)/sites/shares", to: visit.form.text("to") ?? "",
            holder: visit.form.text("holder") ?? "operator",
            place: domain.map { tree.line(to: $0.id).dropFirst().map(\.name).joined(separator: "/") } ?? place ?? "",
            device: visit.form.text("device") ?? "", until: visit.form.text("until") ?? "",
            roles: Role.builtIn.filter { $0 != .platformAdmin }.map {
                .init(value: $0.name.text, label: $0.name.text, isOn: $0.name.text == wanted)
            }, reason: visit.form.text("reason") ?? "",
            second: needsSecond
                ? "A role that decides about others waits until a second administrator approves it, under Changes."
                : nil, fault: fault)
    }

    private static func line(
        _ share: Share, _ console: ConsoleParts, _ visit: TenantVisit, _ names: GrantNames, _ mayManage: Bool
    ) -> Line {
        let isGiven = share.owner == visit.tenant.id
        let other = isGiven ? share.grantee : share.owner
        let name =
            other == .platform
            ? "the platform's staff" : console.access.directory.tenant(other)?.name ?? "another organisation"
        let holder =
            switch share.holder {
            case .role(let role): "every \(ConsoleParts.roleLabel(role))"
            case .principal(let id): "one person (\(id.text.prefix(8))…)"
            }
        let isOver = share.ends <= console.clock.now
        let badge: Badge =
            switch share.status {
            case .offered: isOver ? .off("Expired") : .warning("Offered")
            case .accepted: isOver ? .off("Expired") : .good("Accepted")
            case .declined: .off("Declined")
            case .ended: .off("Ended")
            }
        let isOpen = (share.status == .offered || share.status == .accepted) && !isOver
        let address = "\(visit.home)/sites/shares/\(share.id.text)"
        return Line(
            words: isGiven
                ? "\(names.role(share.role)) for \(holder) of \(name)"
                : "\(names.role(share.role)) from \(name), for \(holder) here",
            place: !isGiven
                ? share.device == nil ? "a part of their organisation" : "one of their devices"
                : share.device.map { "the device \(names.device($0))" } ?? share.domain.map { names.domain($0) } ?? "–",
            badge: badge, ends: Moment(share.ends),
            acceptAddress: mayManage && !isGiven && share.status == .offered && !isOver ? address + "/accept" : nil,
            declineAddress: mayManage && !isGiven && share.status == .offered && !isOver ? address + "/decline" : nil,
            endAddress: mayManage && isOpen && (isGiven || share.status == .accepted) ? address + "/end" : nil)
    }

    /// Takes the form of an offer.
    static func run(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        do {
            guard let slug = visit.form.text("to").flatMap({ TenantSlug($0) }) else {
                throw Refusal(
                    .invalid, "share.to", "Name the other organisation by its short name, as in its addresses.")
            }
            guard let ends = visit.form.text("until").flatMap(TypedTime.moment) else {
                throw Refusal(
                    .invalid, "share.ends",
                    "Say when it ends: a date and time such as 2027-01-31T18:00, in \(TypedTime.zone).")
            }
            let place = visit.form.text("domain").map {
                $0.split(separator: "/").map {
                    $0.trimmingPrefix(while: \.isWhitespace)
                }.joined(separator: "/")
            }
            let device = visit.form.text("device")
            let (role, holder) = (visit.form.text("role") ?? "", visit.form.text("holder") ?? "")
            do {
                _ = try await console.access.offerShare(
                    role: role, at: device == nil ? place : nil, device: device, to: slug, holder: holder, ends: ends,
                    reason: visit.form.text("reason"), tenant: visit.tenant.id, by: visit.principal)
                return .seeOther("\(visit.home)/sites/shares", done: .shareOffered)
            } catch let refusal as Refusal where refusal.code == "approval.needed" {
                var change: [String: JSONValue] = [
                    "role": .string(role), "to": .string(slug.text), "holder": .string(holder),
                    "ends": .string(ends.rfc3339),
                ]
                change["device"] = device.map { .string($0) }
                if device == nil { change["domain"] = place.map { .string($0) } }
                _ = try await console.access.propose(
                    "share.put", .object(change), reason: visit.form.text("reason"), tenant: visit.tenant.id,
                    by: visit.principal)
                return .seeOther("\(visit.home)/sites/changes", done: .proposed)
            }
        } catch let refusal as Refusal where refusal.isOfForm || refusal.code.hasSuffix(".unknown") {
            return .again(try await SharesPage(console, visit, fault: refusal.message))
        }
    }

    /// An answer to an offer, or the end of a share; an end asks once more.
    static func answer(_ console: ConsoleParts, _ visit: TenantVisit, _ act: String) async throws -> Outcome {
        guard let id = ShareID(text: visit.path("share")) else { throw Access.unknown("share") }
        let (tenant, principal, shares) = (visit.tenant.id, visit.principal, "\(visit.home)/sites/shares")
        switch act {
        case "accept":
            do {
                _ = try await console.access.acceptShare(
                    id, reason: visit.form.text("reason"), tenant: tenant, by: principal)
            } catch let refusal as Refusal where refusal.code == "reason.required" {
                return .again(
                    ConfirmPage(
                        title: "Accept this share?",
                        effect:
                            "By its role people here decide what others may do in the other organisation. Both logs "
                            + "say that it was accepted, and yours says why.",
                        address: "\(shares)/\(id.text)/accept", act: "accept", verb: "Accept", back: shares,
                        reason: .init(
                            typed: visit.form.text("reason") ?? "",
                            fault: visit.form.has("sure") ? refusal.message : nil)))
            }
            return .seeOther(shares, done: .shareAccepted)
        case "decline":
            _ = try await console.access.declineShare(id, tenant: tenant, by: principal)
            return .seeOther(shares, done: .shareDeclined)
        default:
            guard visit.form.has("sure") else {
                return .show(
                    ConfirmPage(
                        title: "End this share?",
                        effect:
                            "Whoever works here by it loses it at once, and both organisations' logs say so. A new one must be offered and accepted.",
                        address: "\(shares)/\(id.text)/end", act: "end", verb: "End the share", back: shares))
            }
            _ = try await console.access.endShare(id, tenant: tenant, by: principal)
            return .seeOther(shares, done: .shareEnded)
        }
    }
}
