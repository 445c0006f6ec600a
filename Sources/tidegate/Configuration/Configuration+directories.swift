import Base
import Delivery
import SignIn
import Trust

extension Setting {
    /// The keys about directories.
    static let directories: [Setting] = [
        Setting(
            key: "directories.networks",
            sentence:
                "Private networks that tenants' OpenID providers and LDAP servers may lie in, such as 10.2.0.0/16; otherwise only public addresses are reached.",
            defaultText: ""
        ) { configuration, text in
            configuration.directoryNetworks = try list(text).map { text in
                guard let range = AddressRange(text) else {
                    throw ConfigurationError("must be networks such as 10.2.0.0/16 or fd00:1::/32")
                }
                return range
            }
        }
    ]
}

extension Directories {
    /// Directories that are asked at public addresses and in these networks.
    init(signIn: SignIn, keyRing: KeyRing, networks: [AddressRange]) {
        let policy = NetworkPolicy(allowed: networks)
        let fetcher = Fetcher(policy: policy)
        self.init(
            signIn: signIn, keyRing: keyRing,
            fetch: { request in
                let answer = try fetcher.fetch(
                    request.method, request.address, headers: request.headers, body: request.body,
                    authorities: request.authorities, mostBytes: request.mostBytes)
                return FetchAnswer(status: answer.status, body: answer.body)
            }, permits: { policy.permits($0) })
    }
}
