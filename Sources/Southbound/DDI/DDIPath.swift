import Base

/// A target of hawkBit's Direct Device Integration API: `/{tenant}/controller/v1/{controllerId}` and what is below it.
struct DDIPath: Hashable, Sendable {
    /// The tenant; clients write its slug in capitals and small letters alike.
    let tenant: TenantSlug
    /// By what the device calls itself.
    let controller: String
    /// The path to the controller as the client wrote it, from which its links are made.
    let prefix: String
    let resource: DDIResource
    /// How many texts of the action's history the client wants with a deployment.
    let history: Int

    /// What the parts of a path and its query name; nil when it is nothing of this API.
    init?(_ parts: [Substring], query: Substring?) {
        guard parts.count >= 4, parts[1] == "controller", parts[2] == "v1",
            let tenant = TenantSlug(parts[0].lowercased()), let controller = String(percentDecoding: parts[3]),
            !controller.isEmpty, let resource = DDIResource(parts[4...])
        else { return nil }
        self.tenant = tenant
        self.controller = controller
        self.resource = resource
        prefix = "/" + parts[..<4].joined(separator: "/")
        history = Self.history(query)
    }

    /// The number of `actionHistory`, where less than nothing is everything that there is.
    private static func history(_ query: Substring?) -> Int {
        for pair in query?.split(separator: "&", maxSplits: 16) ?? [] where pair.hasPrefix("actionHistory=") {
            let text = pair.dropFirst("actionHistory=".utf8.count)
            guard text.utf8.count <= 9, let number = Int(text) else { return 0 }
            return number < 0 ? Limits.ddiHistory : min(number, Limits.ddiHistory)
        }
        return 0
    }
}
