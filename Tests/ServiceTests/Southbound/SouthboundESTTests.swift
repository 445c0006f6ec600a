import Base
import Crypto
import Foundation
import Testing
import X509

@testable import Fleet
@testable import Southbound
@testable import Trust

/// Enrolment with programs that nobody changed for us.
@Suite("EST with unmodified clients", .timeLimit(.minutes(5)))
struct SouthboundESTTests {
    static func certificates(_ directory: String, pkcs7 file: String) async throws -> Int {
        let result = try await SystemProgram.run(
            "openssl", ["pkcs7", "-inform", "DER", "-in", file, "-print_certs", "-noout"], in: directory)
        return result.output.components(separatedBy: "subject=").count - 1
    }

    @Test(
        "curl and OpenSSL fetch the CA certificates, enrol and renew, on both forms of the path",
        arguments: [("acme/.well-known/est", ""), (".well-known/est/acme", ""), (".well-known/est", "id")])
    func curl(path: String, by: String) async throws {
        try await SouthboundFixture.with { south in
            let directory = south.directory
            let registered = try await south.register("router-1")
            let user = by == "id" ? registered.device.id.text : "router-1"
            let base = "https://localhost:\(south.device)/\(path)"
            let trust = ["--cacert", "\(directory)/trust/server-ca.pem"]
            func curl(_ arguments: [String]) async throws -> String {
                let result = try await SystemProgram.run(
                    "curl", ["-sS", "--max-time", "120", "-w", "%{http_code}"] + trust + arguments, in: directory)
                return result.output
            }
            func openssl(_ arguments: [String]) async throws {
                let result = try await SystemProgram.run("openssl", arguments, in: directory)
                #expect(result.status == 0, "\(arguments): \(result.output)")
            }
            #expect(try await curl(["\(base)/cacerts", "-o", "ca.b64"]) == "200")
            try await openssl(["base64", "-d", "-in", "ca.b64", "-out", "ca.p7"])
            #expect(try await Self.certificates(directory, pkcs7: "ca.p7") >= (path.contains("acme") ? 4 : 3))

            try await openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "device.key"])
            try await openssl([
                "req", "-new", "-key", "device.key", "-subj", "/CN=ignored", "-outform", "DER", "-out", "csr.der",
            ])
            try await openssl(["base64", "-in", "csr.der", "-out", "csr.b64"])
            let enrol = [
                "-H", "Content-Type: application/pkcs10", "-H", "Content-Transfer-Encoding: base64", "--data-binary",
                "@csr.b64", "-o", "cert.b64",
            ]
            #expect(try await curl(enrol + ["\(base)/simpleenroll"]) == "401")
            #expect(
                try await curl(enrol + ["--anyauth", "-u", "\(user):tg_enrol_wrong", "\(base)/simpleenroll"]) == "401")
            #expect(
                try await curl(enrol + ["--anyauth", "-u", "\(user):\(registered.token.text)", "\(base)/simpleenroll"])
                    == "200")
            try await openssl(["base64", "-d", "-in", "cert.b64", "-out", "cert.p7"])
            try await openssl(["pkcs7", "-inform", "DER", "-in", "cert.p7", "-print_certs", "-out", "cert.pem"])
            #expect(try await Self.certificates(directory, pkcs7: "cert.p7") == 1)
            let text = try await SystemProgram.run(
                "openssl", ["x509", "-in", "cert.pem", "-noout", "-text"], in: directory)
            #expect(text.output.contains("URI:tidegate://acme.fleet.example.com/device/\(registered.device.id.text)"))
            #expect(!text.output.contains("ignored"))

            // The token is used up.
            #expect(
                try await curl(enrol + ["-u", "\(user):\(registered.token.text)", "\(base)/simpleenroll"]) == "401")
            #expect(try await curl(["--data-binary", "@csr.b64", "\(base)/simplereenroll"]).hasSuffix("403"))
            let identity = ["--cert", "cert.pem", "--key", "device.key"]
            #expect(
                try await curl(identity + ["--data-binary", "@csr.b64", "-o", "new.b64", "\(base)/simplereenroll"])
                    == "200")
            try await openssl(["base64", "-d", "-in", "new.b64", "-out", "new.p7"])
            try await openssl(["pkcs7", "-inform", "DER", "-in", "new.p7", "-print_certs", "-out", "new.pem"])
            let telemetry = ["--data", #"[{"n":"power","v":1}]"#, "https://localhost:\(south.device)/acme/telemetry"]
            #expect(try await curl(["--cert", "new.pem", "--key", "device.key"] + telemetry) == "204")
            #expect(try await curl(["\(base)/csrattrs", "-o", "attrs.b64"]) == "200")
        }
    }

    @Test("a broken certificate request is explained and does not use the token up")
    func brokenRequest() async throws {
        try await SouthboundFixture.with { south in
            let registered = try await south.register("router-1")
            let basic = Data("router-1:\(registered.token.text)".utf8).base64EncodedString()
            let client = try await SouthboundClient.connect(port: south.device)
            let headers = ["authorization: Basic \(basic)"]
            let target = "/acme/.well-known/est/simpleenroll"
            for body in ["", "not base64!", "AAAA", String(repeating: "A", count: 16_000)] {
                let response = try #require(try await client.ask("POST", target, headers: headers, body: body))
                #expect(response.status == 400 || response.status == 413)
                #expect(response.body.contains("\"code\":"))
            }
            let body = try Data(SouthboundFixture.request(P256.Signing.PrivateKey())).base64EncodedString()
            let response = try #require(try await client.ask("POST", target, headers: headers, body: body))
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only")
            #expect(response.headers["content-transfer-encoding"] == "base64")
            await client.close()
        }
    }

    @Test("the label stream asks for a certificate of the streaming channel")
    func streamLabel() async throws {
        try await SouthboundFixture.with { south in
            let (_, credential) = try await south.enrolled("router-1")
            let client = try await SouthboundClient.connect(port: south.device, .init(credential: credential))
            let key = P256.Signing.PrivateKey()
            let body = try Data(SouthboundFixture.request(key)).base64EncodedString()
            let response = try #require(
                try await client.ask("POST", "/acme/.well-known/est/stream/simplereenroll", body: body))
            #expect(response.status == 200)
            let list = try #require(Data(base64Encoded: response.body, options: .ignoreUnknownCharacters))
            #expect(String(decoding: list, as: UTF8.self).contains("/stream"))
            await client.close()
        }
    }

    @Test("strongSwan's pki fetches the CA certificates, enrols and renews")
    func strongSwan() async throws {
        try await SouthboundFixture.with { south in
            let directory = south.directory
            let registered = try await south.register("router-1")
            let base = "https://localhost:\(south.device)/acme"
            func pki(_ arguments: [String], output: String? = nil) async throws {
                let command = (["pki"] + arguments).map { "'\($0)'" }.joined(separator: " ")
                let result = try await SystemProgram.run(
                    "sh", ["-c", output.map { "\(command) > \($0)" } ?? command], in: directory)
                #expect(result.status == 0, "\(arguments): \(result.output)")
            }
            let trust = ["--cacert", "trust/server-ca.pem"]
            try await pki(["--estca", "--url", base] + trust + ["--caout", "ca", "--outform", "pem"])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory).contains {
                    $0.hasPrefix("ca") && $0.hasSuffix(".pem")
                })
            try await pki(["--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem"], output: "device.key")
            try await pki(
                ["--req", "--type", "ecdsa", "--in", "device.key", "--dn", "CN=x", "--outform", "der"],
                output: "csr.der")
            try await pki(
                ["--est", "--url", base, "--in", "csr.der"] + trust
                    + ["--userpass", "router-1:\(registered.token.text)", "--outform", "pem"], output: "cert.pem")
            let text = try await SystemProgram.run(
                "openssl", ["x509", "-in", "cert.pem", "-noout", "-text"], in: directory)
            #expect(text.output.contains("URI:tidegate://acme.fleet.example.com/device/\(registered.device.id.text)"))
            try await pki(
                ["--est", "--url", base, "--in", "csr.der"] + trust
                    + ["--cert", "cert.pem", "--key", "device.key", "--outform", "pem"], output: "new.pem")
            let renewed = try await SystemProgram.run(
                "openssl", ["x509", "-in", "new.pem", "-noout", "-subject"], in: directory)
            #expect(renewed.output.contains(registered.device.id.text))
        }
    }
}
