import Access
import Base
import Storage

/// Finds the domains and models that drafts name, each once in a transaction.
struct ReferenceLookUp {
    let fleet: Fleet
    let tenant: TenantID
    let principal: Principal
    private var domains: [String?: DomainID] = [:]
    private var models: [String: ModelID] = [:]

    init(fleet: Fleet, tenant: TenantID, principal: Principal) {
        self.fleet = fleet
        self.tenant = tenant
        self.principal = principal
    }

    /// The domain that `text` names, nil naming the root, in which the caller may see or manage devices.
    mutating func domain(_ text: String?, toManage: Bool, in transaction: Transaction) throws -> DomainID {
        if let known = domains[text] { return known }
        let domain: DomainID
        do {
            domain = try fleet.access.domain(text, tenant: tenant, in: transaction)
            try fleet.access.authorize(
                principal, toManage ? .deviceManage : .deviceRead, tenant: tenant, domain: domain, in: transaction)
        } catch let refusal as Refusal where refusal.kind == .notFound {
            // One that is absent and one that the caller must not see look the same.
            throw Refusal(
                .notFound, "domain.unknown", "There is no domain \(text ?? "/"), or it is not for you.",
                faults: [Refusal.Fault(place: "/domain", message: "there is no such domain")])
        }
        domains[text] = domain
        return domain
    }

    /// The model that `text` names.
    mutating func model(_ text: String, in transaction: Transaction) throws -> ModelID {
        if let known = models[text] { return known }
        let row =
            if let id = ModelID(text: text) {
                try transaction.row("SELECT id FROM model WHERE tenant = $1 AND id = $2", id)
            } else {
                try transaction.row("SELECT id FROM model WHERE tenant = $1 AND name = $2", text)
            }
        guard let row else {
            throw Refusal(
                .invalid, "model.unknown", "There is no model \(text); create it first or name another.",
                faults: [Refusal.Fault(place: "/model", message: "there is no such model")])
        }
        let model = try row.identifier(0, as: ModelID.self)
        models[text] = model
        return model
    }
}
