import Base
import NIOSSL

/// What somebody entered on the set-up page, checked as the file of settings is.
package struct SetupForm: Sendable, Hashable {
    /// What is wrong with it, in a sentence for who entered it.
    package struct Fault: Error, Hashable {
        /// The sentence.
        package var message: String
    }

    /// Lines for the file of settings.
    package let lines: [String]
    /// The certificate that vouches for the server, if one was entered.
    package let authority: String?

    /// The form in a body of `application/x-www-form-urlencoded`; `token` is the form's own, which other sites can not
    /// know.
    package init(body: [UInt8], token: String) throws(Fault) {
        let fields = try Self.fields(body)
        guard let shown = fields["form"], Self.isSame(shown, token) else {
            throw Fault(message: "The form is too old. Load the page again.")
        }
        var lines: [String] = []
        for key in ["server", "tenant", "device", "token"] {
            let value = fields[key] ?? ""
            guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
                throw Fault(message: "\(key) must be one line.")
            }
            if value.isEmpty {
                guard key == "token" else { throw Fault(message: "\(key) is missing.") }
                continue
            }
            lines.append("\(key) = \(value)")
        }
        do {
            _ = try AgentSettings(parsing: lines.joined(separator: "\n"))
        } catch {
            throw Fault(message: "\(error)")
        }
        let authority = fields["server-ca"].flatMap { $0.isEmpty ? nil : $0 }
        if let authority {
            let certificates = try? NIOSSLCertificate.fromPEMBytes(Array(authority.utf8))
            guard certificates?.isEmpty == false else { throw Fault(message: "server-ca holds no certificate in PEM.") }
        }
        (self.lines, self.authority) = (lines, authority)
    }

    /// The fields of a body; each may come once.
    static func fields(_ body: [UInt8]) throws(Fault) -> [String: String] {
        guard body.count <= AgentLimits.setupBytes else { throw Fault(message: "That is too much.") }
        var fields: [String: String] = [:]
        let parts = body.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true)
        guard parts.count <= AgentLimits.setupFields else { throw Fault(message: "That is too much.") }
        for part in parts {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(pair[0]), let value = decoded(pair.count > 1 ? pair[1] : []),
                fields.updateValue(value, forKey: name) == nil
            else { throw Fault(message: "The form can not be understood.") }
        }
        return fields
    }

    /// Percent-encoded UTF-8; nil when it is none.
    private static func decoded(_ bytes: some Collection<UInt8>) -> String? {
        var (plain, rest): ([UInt8], ArraySlice<UInt8>) = ([], Array(bytes)[...])
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): plain.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = [UInt8](hex: String(decoding: rest.prefix(2), as: UTF8.self)) else {
                    return nil
                }
                plain += value
                rest = rest.dropFirst(2)
            default: plain.append(byte)
            }
        }
        return String(validating: plain, as: UTF8.self)
    }

    /// Whether two texts are the same, in a time that says nothing of where they differ.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && zip(left.utf8, right.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// What was entered on the set-up page, kept beside the file of settings; it counts more than what that says.
package struct SetupStore: Sendable {
    private let state: String
    private var file: String { state + "/setup.conf" }
    private var authority: String { state + "/setup-ca.pem" }

    /// The store in the directory `state`.
    package init(state: String) { self.state = state }

    /// Keeps what was entered.
    package func keep(_ form: SetupForm) throws {
        var lines = form.lines
        if let text = form.authority {
            try StateFile.write(Array(text.utf8), to: authority)
            lines.append("server-ca = \(authority)")
        }
        try StateFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: file)
    }

    /// The lines that were entered, nil when there are none.
    package func lines() throws -> String? {
        try StateFile.read(file, limit: AgentLimits.settingsBytes).map { String(decoding: $0, as: UTF8.self) }
    }
}
