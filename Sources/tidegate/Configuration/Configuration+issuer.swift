import OAuth

extension Configuration {
    /// The address by which people and programs reach the people listener.
    var peopleAddress: String { peopleURL ?? Self.address(deployment, listeners.people.port) }

    /// The authorization server's name and addresses.
    var issuer: Issuer {
        Issuer(
            peopleAddress,
            certificateAddress: listeners.programs.map { Self.address(deployment, $0.port) })
    }

    static func address(_ host: String, _ port: Int) -> String {
        port == 443 ? "https://\(host)" : "https://\(host):\(port)"
    }
}
