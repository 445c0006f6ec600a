import Base
import Trust

/// Feeds what reads certificates and requests with bytes nobody vouches for.
///
/// The first byte chooses the reader; the rest is what a stranger sends before anybody knows who it is.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCSR(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    switch start[0] % 4 {
    case 0: _ = try? EST.request(body: bytes)
    case 1: _ = try? CertificateRequest(der: bytes)
    case 2: verify(bytes)
    default: token(bytes)
    }
    return 0
}

/// A verifier that trusts nobody must accept nobody, however far the reading gets.
private func verify(_ der: [UInt8]) {
    let verifier = DeviceCertificateVerifier()
    let accepted = try? verifier.verify([der], at: Timestamp(microseconds: 1_800_000_000_000_000))
    precondition(accepted == nil, "a certificate was accepted without any trust")
}

/// A text that is a token must be spelt as it was read.
private func token(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let token = Token(text) else { return }
    precondition(token.text == text && text.hasPrefix("tg_\(token.kind)_"), "a token changed while it was read")
}
