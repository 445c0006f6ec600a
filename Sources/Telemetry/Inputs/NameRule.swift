/// What characters a series name may hold, which differs by format.
enum NameRule {
    /// RFC 8428, section 4.5.1: ASCII letters, digits and `-:./_`, the first a letter or digit; but a leading `/` is
    /// accepted too, because LwM2M clients name their resources so (`/3303/0/5700`).
    case senML
    /// ThingsBoard keys: any text without control characters.
    case anyText

    /// Why the name `prefix` + `suffix` breaks the rule, or nil when it does not.
    func fault(
        _ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UnsafeBufferPointer<UInt8>, limit: Int
    ) -> InputFault.Reason? {
        let count = prefix.count + suffix.count
        guard count > 0 else { return .noName }
        guard count <= limit else { return .nameTooLong }
        switch self {
        case .senML:
            let first = prefix.first ?? suffix[0]
            guard Self.isAlphanumeric(first) || first == UInt8(ascii: "/"), prefix.allSatisfy(Self.isSenML),
                suffix.allSatisfy(Self.isSenML)
            else {
                return .badName
            }
        case .anyText:
            guard UTF8Text.isValid(prefix), UTF8Text.isValid(suffix) else { return .notUTF8 }
            guard prefix.allSatisfy(Self.isVisible), suffix.allSatisfy(Self.isVisible) else { return .badName }
        }
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isSenML(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "-:./_".utf8.contains(byte) }

    private static func isVisible(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F }
}

/// Checks bytes from outside before they are called text.
enum UTF8Text {
    /// Whether `bytes` are well-formed UTF-8.
    static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if bytes.allSatisfy({ $0 < 0x80 }) { return true }
        return (try? UTF8Span(validating: bytes.span)) != nil
    }
}
