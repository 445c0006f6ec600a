import FoundationEssentials
import Trust

/// The passwords that attackers try first, as the beginnings of their hashes in ascending order.
enum CommonPasswords {
    private static let hashes: [UInt32] = {
        let bytes = Data(base64Encoded: list).map(Array.init) ?? []
        return stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { number(bytes[$0...]) }
    }()

    /// How many there are.
    static var count: Int { hashes.count }

    /// Whether the password, in small letters, is one of them.
    static func contains(_ password: String) -> Bool {
        guard password.unicodeScalars.count >= NISTRules.leastCharacters else { return false }
        let wanted = number(Token.hash(of: password)[...])
        var range = hashes[...]
        while let first = range.indices.first {
            let middle = first + range.count / 2
            if range[middle] == wanted { return true }
            range = range[middle] < wanted ? range[(middle + 1)...] : range[..<middle]
        }
        return false
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
