import Base
import Foundation
import Testing

@testable import Delivery

@Suite("Where deliveries go and how they are written")
struct DeliveryOutletTests {
    @Test("a webhook is signed as the Standard Webhooks specification shows")
    func signature() throws {
        let signer = try #require(WebhookSignature(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        #expect(
            signer.sign(
                id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8)
            ) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test(
        "what is no signing secret is refused",
        arguments: ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!"])
    func secrets(text: String) { #expect(WebhookSignature(secret: text) == nil) }

    @Test("a made secret signs")
    func made() { #expect(WebhookSignature(secret: WebhookSignature.makeSecret()) != nil) }

    @Test(
        "each value is escaped for its place",
        arguments: [
            (.json, "a\"b\\c\n{to}", #"a\"b\\c\n{to}"#), (.form, "a b&c=ä+", "a%20b%26c%3D%C3%A4%2B"),
            (.address, "+49/..?#", "%2B49%2F..%3F%23"), (.xml, "<a>&\"'\u{1}", "&lt;a&gt;&amp;&quot;&#39;"),
            (.plain, "as it is", "as it is"),
        ] as [(GatewayTemplate.Place, String, String)])
    func escaping(place: GatewayTemplate.Place, value: String, expected: String) {
        #expect(GatewayTemplate.escaped(value, place) == expected)
        #expect(
            GatewayTemplate.filled("<{text}>{x}{", place, ["text": value, "to": "never"]) == "<\(expected)>{x}{",
            "a placeholder within a value is text")
    }

    private func template(
        method: String = "POST", address: String = "https://sms.example.com/send", headers: [String: String] = [:],
        mediaType: String = "application/json", body: String = #"{"to":"{to}","text":"{text}"}"#
    ) -> GatewayTemplate {
        GatewayTemplate(method: method, address: address, headers: headers, mediaType: mediaType, body: body)
    }

    @Test("good templates")
    func goodTemplates() {
        #expect(template().fault == nil)
        #expect(template(headers: ["Authorization": "Bearer {secret}"]).fault == nil)
        #expect(template(mediaType: "application/x-www-form-urlencoded", body: "To={to}&Body={text}").fault == nil)
        #expect(
            template(method: "GET", address: "https://x.example/?to={to}&t={text}&k={secret}", body: "").fault == nil)
        #expect(template(body: #"{"messages":[{"to":"{to}","text":"{text}","x":{}}]}"#).fault == nil)
    }

    @Test("templates that could be turned against somebody, or can not work, are refused")
    func badTemplates() {
        #expect(template(address: "http://sms.example.com/").fault?.place == "url")
        #expect(template(address: "https://{to}.example.com/").fault?.place == "url")
        #expect(template(address: "https://sms.example.com{text}").fault?.place == "url")
        #expect(template(address: "https://user:pass@sms.example.com/").fault?.place == "url")
        #expect(template(address: "https://sms.example.com/#x").fault?.place == "url")
        #expect(template(headers: ["X-Text": "{text}"]).fault?.place == "headers/X-Text")
        #expect(template(headers: ["X": "a\r\nY: b"]).fault?.place == "headers/X")
        #expect(template(headers: ["X: y\r\nZ": "a"]).fault != nil)
        #expect(template(headers: ["Host": "other.example"]).fault?.place == "headers/Host")
        #expect(template(body: #"{"to":{to}}"#).fault?.place == "body")
        #expect(template(body: #"{"to":"{number}"}"#).fault?.place == "body")
        #expect(template(method: "GET").fault?.place == "body")
        #expect(template(method: "DELETE").fault?.place == "method")
        #expect(template(mediaType: "json").fault?.place == "contentType")
    }

    @Test(
        "an address is https with a fixed host",
        arguments: [
            ("https://example.com", true), ("https://example.com:8443/a/b?c=d", true),
            ("https://[2001:db8::1]:1/", true),
            ("https://192.0.2.1/", true), ("http://example.com", false), ("https://", false), ("https:///x", false),
            ("https://a@b/", false), ("https://example.com:0/", false), ("https://example.com:99999/", false),
            ("https://exa mple.com/", false), ("https://example.com/\r\n", false), ("https://exämple.com/", false),
            ("https://example.com\\@evil.example/", false), ("ftp://example.com/", false),
        ])
    func addresses(text: String, isGood: Bool) { #expect((HTTPSAddress(text) != nil) == isGood) }

    @Test(
        "only the public internet is reached",
        arguments: [
            ("8.8.8.8", true), ("93.184.216.34", true), ("2606:4700::1111", true), ("64:ff9b::808:808", true),
            ("127.0.0.1", false), ("127.255.0.1", false), ("0.0.0.0", false), ("10.1.2.3", false),
            ("172.16.0.1", false), ("172.31.255.255", false), ("172.32.0.1", true), ("192.168.1.1", false),
            ("169.254.169.254", false), ("100.64.0.1", false), ("198.18.0.1", false), ("224.0.0.1", false),
            ("255.255.255.255", false), ("192.0.2.1", false), ("::1", false), ("::", false), ("fe80::1", false),
            ("fe80::1%eth0", false), ("fc00::1", false), ("fd00:ec2::254", false), ("ff02::1", false),
            ("::ffff:127.0.0.1", false), ("::ffff:10.0.0.1", false), ("::ffff:8.8.8.8", true), ("::127.0.0.1", false),
            ("2002:7f00:1::", false), ("2001::1", false), ("2001:db8::1", false), ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::1", false), ("fec0::1", false),
        ])
    func policy(text: String, isPermitted: Bool) throws {
        #expect(NetworkPolicy().permits(try #require(NetworkAddress(text))) == isPermitted)
    }

    @Test("a network that the operator names is reached, and no other")
    func allowed() throws {
        let policy = NetworkPolicy(allowed: [try #require(AddressRange("10.2.0.0/16"))])
        #expect(policy.permits(try #require(NetworkAddress("10.2.3.4"))))
        #expect(policy.permits(try #require(NetworkAddress("::ffff:10.2.3.4"))))
        #expect(!policy.permits(try #require(NetworkAddress("10.3.3.4"))))
        #expect(!policy.permits(try #require(NetworkAddress("127.0.0.1"))))
    }

    @Test(
        "settings with anything wrong are refused with their places",
        arguments: [
            (.mail, ["host": "mail.example.com"], ["/settings/from"]),
            (.mail, ["host": "a b", "from": "x@y.example", "port": 0], ["/settings/host", "/settings/port"]),
            (.mail, ["host": "h", "from": "x@y", "security": "none"], ["/settings/security"]),
            (.mail, ["host": "h", "from": "x@y", "password": "p"], ["/settings/password"]),
            (.mail, ["host": "h", "from": "x@y", "fromName": "a\r\nb"], ["/settings/fromName"]),
            (.webhook, ["url": "http://x.example"], ["/settings/url"]),
            (.webhook, ["url": "https://x.example", "events": ["a b"]], ["/settings/events"]),
            (.syslog, ["host": "h", "ca": "no certificate"], ["/settings/ca"]),
            (.syslog, ["host": "h", "start": "middle"], ["/settings/start"]), (.sms, [:], ["/settings/url"]),
            (.mail, "text", ["/settings/", "/settings/host", "/settings/from"]),
        ] as [(DeliveryKind, JSONValue, [String])])
    func settings(kind: DeliveryKind, settings: JSONValue, places: [String]) {
        do {
            _ = try OutletPath(kind, settings)
            Issue.record("nothing was refused")
        } catch {
            #expect(Set(places).isSubset(of: error.faults.map(\.place)), "\(error.faults)")
        }
    }

    @Test("whatever says where the secret goes and what as is part of where it goes, and names of senders are not")
    func destinations() throws {
        func destination(_ kind: DeliveryKind, _ settings: [String: JSONValue]) throws -> [String?] {
            try OutletPath(kind, .object(settings)).destination
        }
        let ca: JSONValue = "-----BEGIN CERTIFICATE-----"
        let sms: [String: JSONValue] = [
            "url": "https://api.example/Accounts/ONE?k=1", "body": #"{"t":"{text}"}"#, "headers": ["X": "{secret}"],
        ]
        let changes: [[String: JSONValue]] = [
            ["url": "https://api.example/Accounts/TWO?k=1"], ["url": "https://api.example/Accounts/ONE?k={secret}"],
            ["body": #"{"t":"your key is {secret}"}"#], ["headers": ["X": "{secret}", "Y": "z"]], ["method": "PUT"],
            ["contentType": "text/plain"], ["ca": ca],
        ]
        for change in changes {
            #expect(try destination(.sms, sms.merging(change) { $1 }) != destination(.sms, sms), "\(change)")
        }
        let mail: [String: JSONValue] = ["host": "mail.example", "from": "a@b.example", "user": "u"]
        for change in [["host": "other.example"], ["port": 588], ["user": "v"], ["ca": ca]] as [[String: JSONValue]] {
            #expect(try destination(.mail, mail.merging(change) { $1 }) != destination(.mail, mail), "\(change)")
        }
        let named = mail.merging(["fromName": "Fleet", "from": "c@b.example", "host": "MAIL.example"]) { $1 }
        #expect(try destination(.mail, named) == destination(.mail, mail))
    }

    @Test("a mail server's port says how TLS begins, unless it is said")
    func ports() throws {
        func server(_ settings: JSONValue) throws -> MailServer {
            guard case .mail(let server) = try OutletPath(.mail, settings) else { throw CancellationError() }
            return server
        }
        #expect(try server(["host": "h", "from": "x@y"]).security == .starttls)
        #expect(try server(["host": "h", "from": "x@y", "port": 465]).security == .tls)
        #expect(try server(["host": "h", "from": "x@y", "port": 465, "security": "starttls"]).security == .starttls)
    }
}
