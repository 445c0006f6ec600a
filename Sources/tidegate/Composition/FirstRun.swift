import Access
import Base
import Foundation
import SignIn
import Trust

/// What a start does when nobody can sign in yet: makes the administrator whom the configuration names, or prints the
/// link by which somebody becomes it.
enum FirstRun {
    /// The sentence for the operator; nil when somebody can sign in already.
    static func prepare(_ parts: ServerParts) async throws -> String? {
        guard try await parts.signIn.isNew() else { return nil }
        let administrator = parts.configuration.administrator
        if let address = administrator.address, let file = administrator.passwordFile {
            let first = FirstAdministrator(
                address: address, password: try password(in: file), organisation: administrator.organisation,
                timeZone: administrator.timeZone)
            _ = try await parts.signIn.setUp(first)
            return "The first administrator is \(address). The password's file can go: it is not read again."
        }
        let link = try await parts.signIn.setUpLink(by: .localAdministrator)
        return """
            Nobody can sign in yet. Open this link to become the first administrator; it works once, for an hour:

              \(link.url)

            Another one: \(Program.command) admin --data \(Program.quoted(parts.directory)) setup-link
            """
    }

    /// The file's text without the line's end that editors write.
    private static func password(in file: String) throws -> String {
        let bytes: [UInt8]
        do {
            bytes = try SecretFile.read(file, for: .group)
        } catch let refusal as Refusal {
            throw ConfigurationError("administrator.passwordFile: \(refusal.message)")
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("administrator.passwordFile: \(file): the password is no UTF-8")
        }
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
