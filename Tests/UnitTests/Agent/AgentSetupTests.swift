import Testing

@testable import Agent

/// What is entered on the set-up page, and what it shows.
@Suite("The agent's set-up page")
struct AgentSetupTests {
    private static func fault(_ body: String) -> String? {
        do throws(SetupForm.Fault) {
            _ = try SetupForm(body: Array(body.utf8), token: "abc")
            return nil
        } catch {
            return error.message
        }
    }

    @Test("what is entered becomes lines of settings")
    func lines() throws {
        let body = "form=abc&server=fleet.example.com%3A8444&tenant=acme&device=gw-1&token=a%2Bb&server-ca="
        let form = try SetupForm(body: Array(body.utf8), token: "abc")
        #expect(
            form.lines == ["server = fleet.example.com:8444", "tenant = acme", "device = gw-1", "token = a+b"])
        #expect(form.authority == nil)
    }

    @Test(
        "what can not be meant is refused",
        arguments: [
            ("", "The form is too old. Load the page again."),
            ("form=abd&server=a&tenant=b&device=c", "The form is too old. Load the page again."),
            ("form=abc&tenant=acme&device=c", "server is missing."),
            ("form=abc&server=a&tenant=acme&device=c%0Astate+%3D+/etc", "device must be one line."),
            ("form=abc&server=a%20b&tenant=acme&device=c", "line 1: server can not be \"a b\""),
            ("form=abc&server=a&tenant=acme&device=c&server-ca=nonsense", "server-ca holds no certificate in PEM."),
            ("form=abc&form=abc", "The form can not be understood."),
            ("form=%", "The form can not be understood."), ("form=%ff", "The form can not be understood."),
            (String(repeating: "a&", count: 20), "That is too much."),
            (String(repeating: "a", count: 30_000), "That is too much."),
        ])
    func bad(body: String, message: String) {
        #expect(Self.fault(body) == message)
    }

    @Test("the page shows what is entered, harmlessly, and no secret")
    func page() {
        let page = SetupPage(
            facts: [(name: "Trouble", value: "<script>alert(1)</script>")],
            entered: ["device": "\"><b>", "token": "secret"], message: "a & b")
        let html = page.html("abc")
        #expect(html.contains("&lt;script&gt;") && !html.contains("<script"))
        #expect(html.contains("&quot;&gt;&lt;b&gt;") && html.contains("a &amp; b") && !html.contains("secret"))
        #expect(html.contains("name=\"form\" value=\"abc\""))
    }

    @Test(
        "only the device's own address is one of it",
        arguments: [
            ("127.0.0.1:8480", "127.0.0.1:8480", true), ("127.0.0.1:8480", "localhost:8480", true),
            ("127.0.0.1:8480", "evil.example:8480", false), ("127.0.0.1:8480", "127.0.0.1", false),
            ("192.168.0.1:80", "192.168.0.1", true), ("192.168.0.1:80", "localhost:80", false),
            ("[::1]:8480", "[::1]:8480", true),
        ])
    func hosts(address: String, host: String, isOwn: Bool) throws {
        let address = try #require(SetupAddress(address))
        #expect(address.isOwn(host, port: address.port) == isOwn)
    }
}
