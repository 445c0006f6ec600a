import FoundationEssentials

/// A password's Argon2id hash with all that is needed to compute it again, written in the PHC string format:
/// `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
struct PasswordHash: Sendable, Equatable {
    var cost: PasswordCost
    var salt: [UInt8]
    var hash: [UInt8]

    static let saltBytes = 16
    static let hashBytes = 32

    init(cost: PasswordCost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// The hash that `text` spells, or nil when it is none or asks for more than a computation may take.
    init?(_ text: String) {
        guard text.utf8.count <= 512 else { return nil }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19" else { return nil }
        let figures = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        guard figures.count == 3, let memory = Self.figure(figures[0], "m="),
            let passes = Self.figure(figures[1], "t="),
            let lanes = Self.figure(figures[2], "p="), let salt = Self.bytes(parts[4]), let hash = Self.bytes(parts[5]),
            (8...64).contains(salt.count), (16...64).contains(hash.count)
        else { return nil }
        let cost = PasswordCost(memory: memory, passes: passes, lanes: lanes)
        guard cost.isBounded else { return nil }
        self.init(cost: cost, salt: salt, hash: hash)
    }

    /// The text that the table keeps.
    var text: String {
        "$argon2id$v=19$m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)$\(Self.text(salt))$\(Self.text(hash))"
    }

    private static func figure(_ text: Substring, _ name: String) -> UInt32? {
        guard text.hasPrefix(name) else { return nil }
        let digits = text.dropFirst(name.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt32(digits)
    }

    /// Base64 as PHC has it: without the padding.
    private static func text(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        guard !text.contains("=") else { return nil }
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map(Array.init)
    }
}
