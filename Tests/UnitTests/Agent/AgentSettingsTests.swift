import Testing

@testable import Agent

/// The agent's one file.
@Suite("The agent's settings")
struct AgentSettingsTests {
    private static let least = "server = fleet.example.com\ntenant = acme\ndevice = gw-1\n"

    private static func fault(_ text: String) -> String? {
        do {
            _ = try AgentSettings(parsing: text)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("every key is understood")
    func everyKey() throws {
        let text = """
            # a gateway
            server = [2001:db8::1]:443
            tenant = acme
            device = gw-1
            token = abc
            server-ca = /etc/ca.pem
            proxy = http://user:word@proxy.example:3128/
            state = /data/agent
            tasks = /data/tasks
            task-timeout = 60
            swupdate = /opt/swupdate
            update-key = /etc/update.pem
            swupdate-options = -H board:1.0 -e stable,main
            hardware = board-1
            metrics = 0
            buffer = 2
            trial = 30
            channels = separate
            tamper = /sys/class/gpio/gpio4/value
            history = 48
            modem = none
            position = 127.0.0.1:2948
            setup = 192.168.0.1:8480
            setup-when = always
            """
        let settings = try AgentSettings(parsing: text)
        #expect(settings.host == "2001:db8::1" && settings.port == 443)
        #expect(settings.proxy?.host == "proxy.example" && settings.proxy?.credentials == "user:word")
        #expect(settings.swupdateOptions == ["-H", "board:1.0", "-e", "stable,main"])
        #expect(settings.buffer == 2 << 20 && settings.separateStream && settings.metrics == 0)
        #expect(settings.history == 48 && settings.modem == nil && settings.position?.port == 2948)
        #expect(settings.setup?.host == "192.168.0.1" && settings.setupAlways)
        let used = text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(Set(used).subtracting(["#"]) == Set(AgentSettings.keys))
    }

    @Test("lines end as Windows ends them, too, and nothing else ends one")
    func lineEnds() throws {
        let settings = try AgentSettings(
            parsing: Self.least.replacing("\n", with: "\r\n") + "hardware = a\u{2028}b\r\n")
        #expect(settings.host == "fleet.example.com" && settings.device == "gw-1" && settings.hardware == "a\u{2028}b")
    }

    @Test(
        "what can not be understood is said with its line",
        arguments: [
            ("metrics = often", "line 4: metrics can not be \"often\""),
            ("sever = x", "line 4: there is no key sever; server?"),
            ("tenant = other", "line 4: tenant comes twice"), ("nonsense", "line 4: not key = value"),
            ("state = relative", "line 4: state can not be \"relative\""),
            ("buffer = 0", "line 4: buffer can not be \"0\""),
            ("position = gps.example.com:2947", "line 4: position can not be \"gps.example.com:2947\""),
            ("modem = mmcli", "line 4: modem can not be \"mmcli\""),
            ("setup = gateway.local:8480", "line 4: setup can not be \"gateway.local:8480\""),
            ("setup = 0.0.0.0:8480", "line 4: setup can not be \"0.0.0.0:8480\""),
            ("history = -1", "line 4: history can not be \"-1\""),
            ("proxy = nowhere", "line 4: proxy can not be \"nowhere\""),
        ])
    func faults(line: String, said: String) {
        #expect(Self.fault(Self.least + line) == said)
    }

    @Test("server, tenant and device must be there", arguments: ["server", "tenant", "device"])
    func missing(key: String) {
        let text = Self.least.split(separator: "\n").filter { !$0.hasPrefix(key) }.joined(separator: "\n")
        #expect(Self.fault(text) == "\(key) is missing")
    }
}
