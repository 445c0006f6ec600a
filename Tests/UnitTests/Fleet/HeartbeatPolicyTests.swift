import Access
import Base
import Testing

@testable import Fleet

@Suite struct HeartbeatPolicyTests {
    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test("what is left out is as in the built-in policy")
    func defaults() throws {
        #expect(try HeartbeatPolicy(json: [:]) == .builtIn)
        let quick = try HeartbeatPolicy(json: ["intervalSeconds": 10, "lateAfter": 4])
        #expect(quick.busySeconds == 10)
        #expect(quick.silentAfter == 12)
    }

    @Test(
        "a policy that is written out reads as itself",
        arguments: [
            "{}", #"{"intervalSeconds":86399,"jitterPercent":0,"busySeconds":1,"lateAfter":1000,"silentAfter":3000}"#,
            #"{"exempt":true,"quietHours":{"from":"23:59","until":"00:00","timeZone":"Europe/Berlin"}}"#,
        ])
    func written(text: String) throws {
        let policy = try HeartbeatPolicy(json: json(text))
        #expect(try HeartbeatPolicy(json: policy.json) == policy)
    }

    @Test(
        "a policy that can not be is refused at its place",
        arguments: [
            (#"{"intervalSeconds":0}"#, "/intervalSeconds"), (#"{"intervalSeconds":-5}"#, "/intervalSeconds"),
            (#"{"intervalSeconds":86400}"#, "/intervalSeconds"),
            (#"{"intervalSeconds":9223372036854775807}"#, "/intervalSeconds"),
            (#"{"intervalSeconds":1.5}"#, "/intervalSeconds"), (#"{"intervalSeconds":"300"}"#, "/intervalSeconds"),
            (#"{"jitterPercent":51}"#, "/jitterPercent"), (#"{"jitterPercent":-1}"#, "/jitterPercent"),
            (#"{"busySeconds":301}"#, "/busySeconds"), (#"{"lateAfter":0}"#, "/lateAfter"),
            (#"{"lateAfter":1001}"#, "/lateAfter"), (#"{"lateAfter":5,"silentAfter":5}"#, "/silentAfter"),
            (#"{"silentAfter":3001}"#, "/silentAfter"), (#"{"exempt":1}"#, "/exempt"),
            (#"{"interval":300}"#, "/interval"), (#"[]"#, ""), (#"{"quietHours":"22:00"}"#, "/quietHours"),
            (#"{"quietHours":{"from":"22:00"}}"#, "/quietHours/until"),
            (#"{"quietHours":{"from":"22:00","until":"22:00"}}"#, "/quietHours/until"),
            (#"{"quietHours":{"from":"24:00","until":"06:00"}}"#, "/quietHours/from"),
            (#"{"quietHours":{"from":"22:60","until":"06:00"}}"#, "/quietHours/from"),
            (#"{"quietHours":{"from":"2:00","until":"06:00"}}"#, "/quietHours/from"),
            (#"{"quietHours":{"from":"-1:00","until":"06:00"}}"#, "/quietHours/from"),
            (#"{"quietHours":{"from":"22:00","until":"06:00","timeZone":"Mars/Base"}}"#, "/quietHours/timeZone"),
            (#"{"quietHours":{"from":"22:00","until":"06:00","timeZone":"EST"}}"#, "/quietHours/timeZone"),
        ])
    func refused(text: String, place: String) throws {
        let json = try json(text)
        let refusal = #expect(throws: Refusal.self) { try HeartbeatPolicy(json: json) }
        #expect(refusal?.code == "heartbeat.invalid")
        #expect(refusal?.faults.contains { $0.place == place } == true, "\(refusal?.faults ?? [])")
    }

    @Test("a model has its policy in its document, and its faults are the model's")
    func model() throws {
        let document = try ModelDocument(json: ["heartbeat": ["intervalSeconds": 60]])
        #expect(document.heartbeat?.intervalSeconds == 60)
        #expect(try ModelDocument(json: document.json) == document)
        let refusal = #expect(throws: Refusal.self) {
            try ModelDocument(json: ["heartbeat": ["intervalSeconds": 0]])
        }
        #expect(refusal?.code == "model.invalid")
        #expect(refusal?.faults.map(\.place) == ["/heartbeat/intervalSeconds"])
    }

    @Test("the nearest policy counts: device, domain upward, model, tenant, built-in")
    func nearest() throws {
        func id<Kind>(_ low: UInt64) -> Identifier<Kind> { Identifier(high: 1, low: low) }
        func policy(_ seconds: Int64) -> HeartbeatPolicy { HeartbeatPolicy(intervalSeconds: seconds) }
        let (root, site, hall): (DomainID, DomainID, DomainID) = (id(1), id(2), id(3))
        let time = Timestamp(microseconds: 0)
        let model = Model(
            id: id(7), name: try #require(Name("m")), version: 1, document: ModelDocument(heartbeat: policy(40)),
            created: time, changed: time)
        var policies = HeartbeatPolicies()
        policies.parents = [hall: site, site: root]
        #expect(policies.policy(of: id(9), in: hall, model: nil).source == .builtIn)
        policies.tenant = policy(50)
        #expect(policies.policy(of: id(9), in: hall, model: nil).policy == policy(50))
        #expect(policies.policy(of: id(9), in: hall, model: model).source == .model(model.id))
        policies.domains[root] = policy(30)
        #expect(policies.policy(of: id(9), in: hall, model: model).source == .domain(root))
        policies.domains[site] = policy(20)
        #expect(policies.policy(of: id(9), in: hall, model: model).policy == policy(20))
        policies.devices[id(9)] = policy(10)
        #expect(policies.policy(of: id(9), in: hall, model: model).source == .device)
        #expect(policies.policy(of: id(8), in: hall, model: model).policy == policy(20))
        // A damaged tree ends too.
        policies.parents[root] = hall
        policies.domains = [:]
        #expect(policies.policy(in: hall, model: nil).source == .tenant)
    }
}
