public import Trust

/// For whom passkeys are made: this deployment, at its own addresses.
public struct RelyingParty: Sendable {
    /// The deployment's name, which the browser holds against the page's.
    public let id: String
    /// The addresses of the pages, exactly as browsers write them: `https://fleet.example.com:8443`.
    public let origins: Set<String>

    init(id: String, origins: Set<String>) {
        self.id = id
        self.origins = origins
    }

    /// The deployment at these origins.
    public init(_ deployment: DeploymentName, origins: Set<String>) {
        self.init(id: deployment.text, origins: origins)
    }

    /// The deployment whose pages are at these addresses.
    public init(_ deployment: DeploymentName, places: [String]) {
        self.init(deployment, origins: Set(places.map(Self.origin)))
    }

    /// An address's origin: nothing behind the host and port, and the usual port left out, as browsers do.
    static func origin(_ place: String) -> String {
        let parts = place.lowercased().split(separator: "/", omittingEmptySubsequences: false)
        let origin = parts.prefix(3).joined(separator: "/")
        return origin.hasPrefix("https://") && origin.hasSuffix(":443") ? String(origin.dropLast(4)) : origin
    }
}
