import Base
import Crypto
import Foundation
import NIOCore
import NIOPosix
import SwiftASN1
import Testing
import X509

@testable import Agent

/// When a device renews, and which certificates it keeps.
@Suite("The agent's certificates")
struct AgentIdentityTests {
    private static func certificate(
        for key: DeviceKey, names: [GeneralName], from begins: Int = 0, to ends: Int = 300
    ) throws -> Certificate {
        let name = try DistinguishedName { CommonName("one") }
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(begins)),
            notValidAfter: Date(timeIntervalSince1970: Double(ends)), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions { SubjectAlternativeNames(names) },
            issuerPrivateKey: .init(key.key))
    }

    private static func der(_ certificate: Certificate) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }

    private static let device = GeneralName.uniformResourceIdentifier("tidegate://acme.x/device/0123")

    @Test(
        "the certificate is renewed at two thirds of its life, and not before",
        arguments: [(0, false), (199, false), (200, true), (299, true)])
    func renewal(seconds: Int64, renews: Bool) async throws {
        try await TestDatabase.withDirectory { directory in
            let state = directory + "/state"
            try StateFile.makeDirectory(state)
            let key = DeviceKey()
            let certificate = try Self.certificate(for: key, names: [Self.device])
            _ = try IdentityStore(state: state, channel: .maintenance).keep(key, certificate: try Self.der(certificate))
            let pem = try certificate.serializeAsPEM().pemString
            try Data(pem.utf8).write(to: URL(filePath: directory + "/ca.pem"))
            let settings = try AgentSettings(
                parsing: """
                    server = localhost:1
                    tenant = acme
                    device = one
                    server-ca = \(directory)/ca.pem
                    state = \(state)
                    """)
            let agent = try AgentService(
                settings, version: "1", group: MultiThreadedEventLoopGroup.singleton,
                clock: WallClock { Timestamp(microseconds: seconds * 1_000_000) }, log: AgentLog(isQuiet: true))
            // Nobody answers; the key that it would be for is on disk before anybody is asked.
            _ = try await agent.calls()
            try await agent.pool.shutdownGracefully()
            #expect(FileManager.default.fileExists(atPath: state + "/maintenance.pem.pending") == renews)
        }
    }

    @Test("a certificate for another key, or for no device, does not take the place of the one that is there")
    func unfit() async throws {
        try await TestDatabase.withDirectory { directory in
            let store = IdentityStore(state: directory, channel: .maintenance)
            let (key, other) = (DeviceKey(), DeviceKey())
            let good = try Self.der(try Self.certificate(for: key, names: [Self.device]))
            _ = try store.keep(key, certificate: good)
            let before = try StateFile.read(directory + "/maintenance.pem")
            #expect(throws: (any Error).self) { try store.keep(other, certificate: good) }
            #expect(throws: (any Error).self) { try store.keep(key, certificate: Array(good.dropLast())) }
            let nameless = try Self.der(try Self.certificate(for: key, names: [.dnsName("one")]))
            #expect(throws: (any Error).self) { try store.keep(key, certificate: nameless) }
            #expect(try StateFile.read(directory + "/maintenance.pem") == before)
            #expect(try store.load()?.device == "0123")
        }
    }

    @Test("behind a proxy the certificate must be for the address that was asked for")
    func address() throws {
        let key = DeviceKey()
        let names: [GeneralName] = [
            .dnsName("127.0.0.2"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ]
        let certificate = try Self.der(try Self.certificate(for: key, names: names))
        for (host, isGood) in [
            ("127.0.0.1", true), ("::1", true), ("0:0:0:0:0:0:0:1", true), ("127.0.0.2", false), ("::2", false),
            ("localhost", false), ("", false),
        ] {
            #expect(AddressCheck.names(certificate, AddressCheck.bytes(of: host)) == isGood, "\(host)")
        }
        #expect(!AddressCheck.names([1, 2, 3], [127, 0, 0, 1]))
    }

    @Test("a slow line has the time that its bytes take")
    func patience() {
        #expect(AgentLimits.patience(for: 0) == .seconds(30))
        #expect(AgentLimits.patience(for: 64 << 10) == .seconds(30 + 512))
    }
}
