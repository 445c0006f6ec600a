import Base
import NIOHTTP1
import Testing

@testable import Fleet
@testable import Southbound

@Suite("What update clients ask")
struct DDIRequestTests {
    private static func path(_ target: String) -> DDIPath? {
        if case .ddi(let path) = DeviceRoute(target: target) { path } else { nil }
    }

    // MARK: - Paths

    @Test(
        "a path names one resource",
        arguments: [
            ("", "poll"), ("/configData", "configData"), ("/deploymentBase/12", "deployment(12)"),
            ("/deploymentBase/12?c=12", "deployment(12)"), ("/deploymentBase/12/feedback", "deploymentFeedback(12)"),
            ("/cancelAction/13", "cancel(13)"), ("/cancelAction/13/feedback", "cancelFeedback(13)"),
            ("/installedBase/14", "installed(14)"), ("/installedBase", "installedByName"),
            ("/confirmationBase", "confirmations"),
            ("/confirmationBase/15", "confirmation(15)"),
            ("/confirmationBase/15/feedback", "confirmationFeedback(15)"),
            ("/confirmationBase/activateAutoConfirm", "activateAutoConfirm"),
            ("/confirmationBase/deactivateAutoConfirm", "deactivateAutoConfirm"),
            ("/softwaremodules/12/artifacts", "artifacts(12)"),
            ("/softwaremodules/12/artifacts/a.swu", #"artifact(12, file: "a.swu")"#),
            ("/softwaremodules/12/artifacts/a%20b.swu", #"artifact(12, file: "a b.swu")"#),
            ("/softwaremodules/12/artifacts/a.swu.MD5SUM", #"checksum(12, file: "a.swu")"#),
        ])
    func resources(rest: String, resource: String) throws {
        let path = try #require(Self.path("/acme/controller/v1/meter-1\(rest)"))
        #expect("\(path.resource)".replacingOccurrences("Southbound.DDIResource.") == resource)
        #expect(path.tenant.text == "acme" && path.controller == "meter-1")
    }

    @Test(
        "anything else is no path of this API",
        arguments: [
            "/x", "/configData/x", "/deploymentBase", "/deploymentBase/", "/deploymentBase/x", "/deploymentBase/-1",
            "/deploymentBase/1.5", "/deploymentBase/+1", "/deploymentBase/9999999999999999999",
            "/deploymentBase/12/feedback/x", "/deploymentBase/12/other", "/cancelAction",
            "/installedBase/12/feedback", "/confirmationBase/x", "/confirmationBase/activateAutoConfirm/feedback",
            "/softwaremodules/12", "/softwaremodules/12/x",
            "/softwaremodules/x/artifacts", "/softwaremodules/12/artifacts/", "/softwaremodules/12/artifacts/a/b",
            "/softwaremodules/12/artifacts/%00", "/softwaremodules/12/artifacts/%zz", "/", "//", "/configData/",
        ])
    func unknown(rest: String) {
        #expect(Self.path("/acme/controller/v1/meter-1\(rest)") == nil)
    }

    @Test("the tenant may be in capitals, the device's name encoded, and links keep both as they were written")
    func spelling() throws {
        let path = try #require(Self.path("/DEFAULT/controller/v1/board%3A1"))
        #expect(path.tenant.text == "default" && path.controller == "board:1")
        #expect(path.prefix == "/DEFAULT/controller/v1/board%3A1")
        #expect(Self.path("/a_b/controller/v1/x") == nil)
        #expect(Self.path("/acme/controller/v2/x") == nil)
        #expect(Self.path("/acme/controller/v1/") == nil)
    }

    @Test(
        "history is wanted in bounds",
        arguments: [
            ("?actionHistory=3", 3), ("?c=1&actionHistory=3", 3), ("?actionHistory=-1", 100), ("?actionHistory=0", 0),
            ("?actionHistory=5000", 100), ("?actionHistory=x", 0), ("?actionHistory=", 0), ("", 0),
            ("?actionHistory=99999999999999999999", 0),
        ])
    func history(query: String, count: Int) throws {
        #expect(try #require(Self.path("/acme/controller/v1/m/deploymentBase/12\(query)")).history == count)
    }

    @Test(
        "links begin with a server's name or address and nothing else",
        arguments: [
            ("fleet.example.com", true), ("fleet.example.com:8444", true), ("[2001:db8::1]:8444", true), ("", false),
            ("a\"b", false), ("a/b", false), ("a b", false), ("user@host", false), ("ä", false),
            (String(repeating: "a", count: 256), false),
        ])
    func hosts(host: String, isFit: Bool) {
        #expect((PollCaller.base(host: host, prefix: "/p") == "https://\(host)/p") == isFit)
    }

    // MARK: - Feedback

    @Test(
        "feedback is read as each client writes it",
        arguments: [
            // SWUpdate 2022.12: a number as identifier.
            (
                #"{"id": 12, "time": "20230101T000000", "status": {"result": {"finished": "none"}, "execution": "proceeding", "details": [ "Installing Update." ]}}"#,
                "proceeding none nil [\"Installing Update.\"]"
            ),
            // RAUC's updater: a text.
            (
                #"{"id":"12","time":"20230101T000000","status":{"result":{"finished":"success"},"execution":"closed","details":["Software bundle installed successful."]}}"#,
                "closed success nil [\"Software bundle installed successful.\"]"
            ),
            // Zephyr: none, or an empty time.
            (#"{"status":{"execution":"closed","result":{"finished":"success"}}}"#, "closed success nil []"),
            (
                #"{"id":"12","time":"","status":{"execution":"closed","result":{"finished":"failure"}}}"#,
                "closed failure nil []"
            ),
            (
                #"{"status":{"execution":"rejected","result":{"finished":"none","progress":{"cnt":1,"of":2}},"code":-7,"details":[1,null,"a"],"more":{}}}"#,
                "rejected none -7 [\"a\"]"
            ),
        ])
    func feedback(body: String, words: String) throws {
        let read = try DDIFeedback(Array(body.utf8))
        let code = read.code.map { "\($0)" } ?? "nil"
        #expect("\(read.execution) \(read.finished) \(code) \(read.details)" == words)
    }

    @Test(
        "what is no feedback is refused, whatever the bytes",
        arguments: [
            "", "{", "[]", "1", "null", "{}", #"{"status":{}}"#, #"{"status":{"execution":"closed"}}"#,
            #"{"status":{"execution":"closed","result":{}}}"#, #"{"status":{"result":{"finished":"success"}}}"#,
            #"{"status":{"execution":"done","result":{"finished":"success"}}}"#,
            #"{"status":{"execution":"closed","result":{"finished":"maybe"}}}"#,
            #"{"status":{"execution":1,"result":{"finished":"success"}}}"#, #"{"status":[]}"#, "\u{0}", "\u{FEFF}{}",
            String(repeating: "[", count: 100_000),
        ])
    func badFeedback(body: String) {
        let refusal = #expect(throws: Refusal.self) { try DDIFeedback(Array(body.utf8)) }
        #expect(refusal?.code == "ddi.feedback" && refusal?.kind == .invalid)
        #expect(throws: Refusal.self) { try DDIFeedback([0xFF, 0xFE] + Array(body.utf8)) }
    }

    @Test("details are bounded and hold no zero, which no database keeps")
    func details() throws {
        let details = Array(repeating: #""a\u0000b""#, count: 1000).joined(separator: ",")
        let body = #"{"status":{"execution":"closed","result":{"finished":"none"},"details":[\#(details)]}}"#
        let read = try DDIFeedback(Array(body.utf8))
        #expect(read.details == Array(repeating: "ab", count: Limits.ddiDetails))
    }

    @Test(
        "feedback means the same as with hawkBit",
        arguments: [
            ("closed", "success", "succeeded", "cancelled"), ("closed", "none", "succeeded", "cancelled"),
            ("closed", "failure", "failed", "goesOn"), ("canceled", "none", "cancelled", "progress"),
            ("rejected", "none", "refused", "goesOn"), ("proceeding", "none", "progress", "progress"),
            ("scheduled", "none", "progress", "progress"), ("resumed", "failure", "progress", "progress"),
            ("download", "none", "progress", "progress"), ("downloaded", "success", "progress", "progress"),
        ])
    func meaning(execution: String, finished: String, deployment: String, cancellation: String) throws {
        let read = try DDIFeedback(
            Array(#"{"status":{"execution":"\#(execution)","result":{"finished":"\#(finished)"}}}"#.utf8))
        #expect("\(read.ofDeployment)" == deployment)
        #expect("\(read.ofCancellation)" == cancellation)
    }

    // MARK: - Attributes

    private static func text(_ content: DeviceReport.Content) -> String {
        switch content {
        case .reported(let bytes): "reported " + String(decoding: bytes, as: UTF8.self)
        case .attributes(let bytes): "attributes " + String(decoding: bytes, as: UTF8.self)
        case .events, .look: ""
        }
    }

    @Test(
        "attributes are laid over those before, replace them, or go",
        arguments: [
            (#"{"data":{"a":"1"}}"#, #"reported {"attributes":{"a":"1"}}"#),
            (#"{"mode":"merge","data":{"a":1,"b":true}}"#, #"reported {"attributes":{"a":1,"b":true}}"#),
            (#"{"mode":"replace","data":{"a":"1"}}"#, #"attributes {"attributes":{"a":"1"}}"#),
            (#"{"mode":"remove","data":{"a":"","b":null}}"#, #"reported {"attributes":{"a":null,"b":null}}"#),
            (
                #"{"id":"","time":"","status":{"execution":"closed","result":{"finished":"success"}},"data":{"VIN":"x"}}"#,
                #"reported {"attributes":{"VIN":"x"}}"#
            ),
        ])
    func attributes(body: String, report: String) throws {
        #expect(Self.text(try DDIAttributes(Array(body.utf8)).report) == report)
    }

    @Test(
        "what are no attributes is refused",
        arguments: [
            "", "[]", "{}", #"{"data":{}}"#, #"{"data":[]}"#, #"{"data":{"a":{}}}"#, #"{"data":{"a":null}}"#,
            #"{"mode":"keep","data":{"a":"1"}}"#, #"{"mode":1,"data":{"a":"1"}}"#, #"{"data":{"":"1"}}"#,
            #"{"data":{"\#(String(repeating: "a", count: 129))":"1"}}"#,
            "{\"data\":{" + (0..<200).map { "\"\($0)\":1" }.joined(separator: ",") + "}}",
        ])
    func badAttributes(body: String) {
        let refusal = #expect(throws: Refusal.self) { try DDIAttributes(Array(body.utf8)) }
        #expect(refusal?.code == "ddi.attributes")
    }

    // MARK: - Conditions

    @Test(
        "an artifact is sent on its conditions",
        arguments: [
            ([], "send whole"), ([("If-Match", "abc")], "send whole"), ([("If-Match", "\"abc\"")], "send whole"),
            ([("If-Match", "*")], "send whole"), ([("If-Match", "x, \"abc\"")], "send whole"),
            ([("If-Match", "abd")], "failed"), ([("If-Match", "")], "failed"),
            ([("If-None-Match", "\"abc\"")], "unmodified"),
            ([("If-None-Match", "W/\"abc\"")], "unmodified"), ([("If-None-Match", "x")], "send whole"),
            ([("Range", "bytes=5-")], "send 5..<10"),
            ([("Range", "bytes=5-"), ("If-Range", "\"abc\"")], "send 5..<10"),
            ([("Range", "bytes=5-"), ("If-Range", "then")], "send 5..<10"),
            ([("Range", "bytes=5-"), ("If-Range", "\"abd\"")], "send whole"), ([("Range", "bytes=10-")], "send none"),
        ] as [([(String, String)], String)])
    func conditions(fields: [(String, String)], outcome: String) {
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/", headers: HTTPHeaders(fields.map { ($0.0, $0.1) }))
        let text =
            switch DDIConditions(head).outcome(tag: "abc", modified: "then", size: 10) {
            case .send(.whole): "send whole"
            case .send(.unsatisfiable): "send none"
            case .send(.parts(let parts)): "send \(parts[0])"
            case .notModified: "unmodified"
            case .preconditionFailed: "failed"
            }
        #expect(text == outcome)
    }
}

extension String {
    fileprivate func replacingOccurrences(_ text: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined()
    }
}
