import Base
import Testing
import Trust

@testable import Southbound

@Suite("Device routes")
struct DeviceRouteTests {
    struct Known: CustomTestStringConvertible, Sendable {
        var target: String
        var operation: ESTOperation
        var tenant: String?
        var channel: Trust.Channel?
        var testDescription: String { target }

        init(_ target: String, _ operation: ESTOperation, _ tenant: String? = nil, _ channel: Trust.Channel? = nil) {
            self.target = target
            self.operation = operation
            self.tenant = tenant
            self.channel = channel
        }
    }

    @Test(
        "an enrolment path names operation, tenant and channel in either form",
        arguments: [
            Known("/.well-known/est/cacerts", .cacerts),
            Known("/.well-known/est/acme/cacerts", .cacerts, "acme"),
            Known("/acme/.well-known/est/simpleenroll", .simpleenroll, "acme"),
            Known("/acme/.well-known/est/router/simpleenroll", .simpleenroll, "acme"),
            Known("/acme/.well-known/est/stream/simplereenroll", .simplereenroll, "acme", .stream),
            Known("/.well-known/est/acme/stream/csrattrs", .csrattrs, "acme", .stream),
            Known("/.well-known/est/acme/maintenance/simpleenroll", .simpleenroll, "acme", .maintenance),
            Known("/acme/.well-known/est/cacerts?now", .cacerts, "acme"),
            Known("https://fleet.example.com:8444/acme/.well-known/est/cacerts", .cacerts, "acme"),
        ])
    func enrolment(known: Known) throws {
        let tenant = try known.tenant.map { try #require(TenantSlug($0)) }
        #expect(
            DeviceRoute(target: known.target) == .est(known.operation, tenant: tenant, channel: known.channel))
    }

    @Test("the telemetry path names the tenant")
    func telemetry() throws {
        #expect(DeviceRoute(target: "/acme/telemetry") == .telemetry(tenant: try #require(TenantSlug("acme"))))
    }

    @Test(
        "the device protocol's paths name the tenant and what is asked for",
        arguments: [
            ("/acme/heartbeat", WorkResource.heartbeat), ("/acme/heartbeat?now", .heartbeat),
            ("/acme/desired", .desired), ("/acme/reported", .reported), ("/acme/maintenance-keys", .keys),
            ("/acme/events", .events),
            ("/acme/tasks/12/status", .status(12)), ("/acme/tasks/0/status", .status(0)),
            ("/acme/tasks/999999999999999999/status", .status(999_999_999_999_999_999)),
        ])
    func work(target: String, resource: WorkResource) throws {
        #expect(DeviceRoute(target: target) == .work(tenant: try #require(TenantSlug("acme")), resource))
    }

    @Test(
        "any other target is no route",
        arguments: [
            "", "/", "*", "//", "acme/telemetry", "/telemetry", "/ACME/telemetry", "/a.b/telemetry", "/acme/telemetry/",
            "/acme//telemetry", "/%61cme/telemetry", "/.well-known/est", "/.well-known/est/",
            "/.well-known/est//cacerts",
            "/.well-known/est/fullcmc", "/.well-known/est/a.b/cacerts", "/a.b/.well-known/est/cacerts",
            "/acme/x/.well-known/est/cacerts", "/acme/.well-known/est/a/b/cacerts", "/.well-known/est/a/b/c/cacerts",
            "/acme/.well-known/cacerts", "http://fleet.example.com/acme/telemetry", "https://fleet.example.com",
            "/" + String(repeating: "a", count: 2000) + "/telemetry", "/heartbeat", "/acme/heartbeat/", "/A/heartbeat",
            "/acme/tasks", "/acme/tasks/12", "/acme/tasks//status", "/acme/tasks/-1/status", "/acme/tasks/1x/status",
            "/acme/tasks/12/status/", "/acme/tasks/9999999999999999999/status", "/acme/tasks/%31/status",
            "/acme/maintenance-keys/1",
        ])
    func unknown(target: String) { #expect(DeviceRoute(target: target) == nil) }
}
