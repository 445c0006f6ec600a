import Base
import SwiftASN1
import Testing
import X509

@testable import Trust

@Suite("the quick reader of certificates beside the thorough one")
struct LeafCertificateOracleTests {
    /// A small generator with a fixed start (SplitMix64), so that a failure comes again.
    struct Repeatable: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test("both read the same from whatever both accept", arguments: 0..<4)
    func agree(seed: UInt64) throws {
        let authority = try TrustTestAuthority()
        let originals = [
            try authority.leaf(), try authority.leaf(usage: .serverAuth), try authority.leaf(isCA: true),
            try authority.leaf(names: [.dnsName("a.example.com"), .uniformResourceIdentifier(authority.uri)]),
        ]
        var generator = Repeatable(state: seed)
        var agreed = 0
        for round in 0..<500 {
            var der = originals[round % originals.count]
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let index = Int.random(in: 0..<der.count, using: &generator)
                der[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
            guard let quick = try? LeafCertificate(der), let thorough = try? Certificate(derEncoded: der) else {
                continue
            }
            agreed += 1
            try compare(quick, thorough)
        }
        #expect(agreed > 125)
    }

    private func compare(_ quick: LeafCertificate, _ thorough: Certificate) throws {
        #expect(quick.der[quick.signedPart].elementsEqual(thorough.tbsCertificateBytes))
        #expect(quick.notBefore == Timestamp(thorough.notValidBefore))
        #expect(quick.notAfter == Timestamp(thorough.notValidAfter))
        if case .constructed(let fields) = try DER.parse(thorough.tbsCertificateBytes).content {
            let encodings = Array(fields).map(\.encodedBytes)
            #expect(quick.der[quick.issuer] == encodings[3])
            #expect(quick.der[quick.subject] == encodings[5])
        }
        // A mutation may spoil the inside of an extension for one reader only; what both read must agree.
        let extensions = thorough.extensions
        if let constraints = try? extensions.basicConstraints, case .isCertificateAuthority = constraints {
            #expect(quick.isCA)
        }
        if let usages = try? extensions.extendedKeyUsage { #expect(quick.isForClients == usages.contains(.clientAuth)) }
        if let usage = try? extensions.keyUsage { #expect(quick.maySign == usage.digitalSignature) }
        if let names = try? extensions.subjectAlternativeNames { #expect(quick.subjectNameCount == names.count) }
        if let key = try? extensions.authorityKeyIdentifier, let bytes = key.keyIdentifier {
            #expect(quick.authorityKey == KeyIdentifier(bytes))
        }
    }
}
