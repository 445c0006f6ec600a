import Base
import Crypto
import Trust

/// Codes from the time (RFC 6238) as every authenticator program makes them: SHA-1, six digits, thirty seconds.
///
/// SHA-1 is what they all take; HMAC does not rest on what is broken in it.
enum TimeCode {
    /// Seconds for which one code is shown.
    static let stepSeconds: Int64 = 30
    /// Digits of a code.
    static let digits = 6
    /// Bytes of a new secret: as long as the hash (RFC 4226, section 4).
    static let secretBytes = 20

    /// The number of the step in which a moment lies.
    static func step(at time: Timestamp) -> Int64 { time.seconds.flooredDivision(by: stepSeconds) }

    /// The code of one step.
    static func code(_ secret: [UInt8], step: Int64) -> String {
        let counter = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: step >> Int64($0)) }
        let mac = Array(
            HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[mac.count - 1] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The step whose code somebody typed, later than the last one that was used; nil when there is none.
    ///
    /// The neighbouring steps count as well, for clocks that are up to thirty seconds apart. Every candidate is compared,
    /// so that the time tells nothing.
    static func match(_ typed: String, _ secret: [UInt8], at time: Timestamp, after used: Int64) -> Int64? {
        let typed = Array(typed.utf8.filter { $0 != UInt8(ascii: " ") })
        let now = step(at: time)
        var found: Int64?
        for candidate in now - 1...now + 1 {
            let isEqual = ConstantTime.equal(typed, Array(code(secret, step: candidate).utf8))
            if isEqual, candidate > used { found = candidate }
        }
        return found
    }

    /// The address that a QR code carries to an authenticator program.
    static func address(secret: [UInt8], account: String, issuer: String) -> String {
        let (issuer, account) = (issuer.percentEncoded, account.percentEncoded)
        return "otpauth://totp/\(issuer):\(account)?secret=\(Base32.text(secret))&issuer=\(issuer)"
            + "&algorithm=SHA1&digits=\(digits)&period=\(stepSeconds)"
    }
}
