import SignIn

extension Configuration {
    /// Where people reach a realm's listener, as links in mails and on the terminal have it.
    func place(of realm: Realm) -> String {
        switch realm {
        case .people: peopleAddress
        case .platform: platformURL ?? Self.address(deployment, listeners.platform?.port ?? listeners.people.port)
        }
    }
}
