import Access
import Base
import HTTPTypes
import Testing

@testable import Northbound

/// One place of a request where something is named: in the path, the query or the body.
struct IsolationSlot: Sendable {
    /// A request that is ready to be sent.
    struct Call: Sendable {
        let method: HTTPRequest.Method
        let path: String
        var text = ""
        var mediaType: String?
    }

    let label: String
    /// What kinds of things are named.
    let kinds: [String]
    /// The request that names them by these texts.
    let call: @Sendable ([String: String]) -> Call
    /// Whether the answer for absent things is a refusal that says so; otherwise it finds, makes or does nothing.
    var refuses = true
    /// Whether something is made under the name that is asked for.
    var makes = false
}

/// The places of all routes, found by their paths and shapes; everything else in a request is of one's own tenant.
struct IsolationSlots: Sendable {
    let routes: [Route]
    let own: IsolationThings
    let base = "/api/v1/tenants/acme"

    init(_ table: RouteTable, own: IsolationThings) {
        self.own = own
        routes = table.routes.filter { route in
            guard case .permission(let permission) = route.requirement else { return false }
            return route.isInTenant && !permission.isPlatformOnly
        }
    }

    // MARK: - Paths

    /// What a parameter of a path names.
    static func kind(of parameter: String, in route: Route) -> String {
        if route.path.hasSuffix("/access-tokens/{token}"), parameter == "token" { return "accessToken" }
        // What is published neither changes nor goes.
        if ["changeRelease", "deleteRelease"].contains(route.operation), parameter == "release" { return "draft" }
        return parameter
    }

    static func parameters(_ route: Route) -> [String] { route.pathParameters.filter { $0 != "tenant" } }

    func path(_ route: Route, _ varied: [String: String] = [:]) -> String {
        let steps = route.path.split(separator: "/").map { step -> String in
            guard step.hasPrefix("{") else { return String(step) }
            let name = String(step.dropFirst().dropLast())
            if name == "tenant" { return "acme" }
            let kind = Self.kind(of: name, in: route)
            return (varied[kind] ?? own[kind]).percentEncoded
        }
        return "/" + steps.joined(separator: "/")
    }

    /// The request with one's own things alone, and with as little in its body as it may have.
    func plain(_ route: Route) -> IsolationSlot.Call { call(route) }

    private func call(
        _ route: Route, _ varied: [String: String] = [:], query: String = "", body: JSONValue? = nil
    ) -> IsolationSlot.Call {
        let demanded = route.query.filter(\.isRequired).map { parameter in
            "\(parameter.name)=\(filled(parameter.shape, named: parameter.name, way: [], putting: nil).string ?? "sample")"
        }.joined(separator: "&")
        let query = query.isEmpty && !demanded.isEmpty ? "?" + demanded : query
        var call = IsolationSlot.Call(method: route.method, path: path(route, varied) + query)
        if case .json(let shape) = route.body {
            let body = body ?? filled(shape, named: "", way: [], putting: nil)
            call.text = completed(route.operation, body).canonical
            call.mediaType = "application/json"
        }
        return call
    }

    /// Each parameter by itself, and all of a path together.
    var paths: [IsolationSlot] {
        routes.flatMap { route -> [IsolationSlot] in
            let kinds = Self.parameters(route).map { Self.kind(of: $0, in: route) }
            var groups = kinds.map { [$0] }
            if kinds.count > 1 { groups.append(kinds) }
            // What is put under a name that nothing has yet is made.
            let makes = route.method == .put && ["role", "model", "directory", "updateKey"].contains(kinds.last)
            return groups.map { kinds in
                IsolationSlot(
                    label: "\(route.operation) \(kinds.joined(separator: "+"))", kinds: kinds,
                    call: { call(route, $0) }, refuses: !makes, makes: makes)
            }
        }.sorted { $0.refuses && !$1.refuses }
    }

    // MARK: - Queries and bodies

    /// What a member of a body or a parameter of a query names, by its name; nil for what names nothing.
    static func kind(of way: [String], _ form: Shape.TextForm) -> String? {
        let name = way.last { $0 != "*" } ?? ""
        switch form {
        case .slug, .time, .duration: return nil
        case .name: return way == ["role", "name"] ? "role" : nil
        case .free: if name == "group" { return nil }
        case .nameOrIdentifier, .identifier: break
        }
        return [
            "domain": "domain", "parent": "domain", "device": "device", "principal": "principal", "group": "group",
            "role": "role", "model": "model", "outlet": "outlet", "endGrant": "grant", "grant": "grant",
            "artifacts": "artifact", "sbom": "artifact", "credential": "session", "actor": "principal",
            "objectId": "device",
            "webhook": "outlet", "release": "release",
        ][name] ?? (name == "to" && way.count == 2 ? "domain" : nil)
    }

    /// The texts in a shape, by the way to them.
    static func texts(_ shape: Shape, _ way: [String] = []) -> [(way: [String], form: Shape.TextForm?)] {
        switch shape {
        case .text(let form): [(way, form)]
        case .any: [(way, nil)]
        case .named(_, let inner), .nullable(let inner): texts(inner, way)
        case .array(let element, _), .map(let element, _): texts(element, way + ["*"])
        case .object(let members): members.flatMap { texts($0.shape, way + [$0.name]) }
        case .choice, .integer, .number, .boolean: []
        }
    }

    var queries: [IsolationSlot] {
        routes.flatMap { route in
            route.query.compactMap { parameter -> IsolationSlot? in
                guard case .text(let form) = parameter.shape, let kind = Self.kind(of: [parameter.name], form) else {
                    return nil
                }
                let more = parameter.name == "objectId" ? "&objectKind=device" : ""
                return IsolationSlot(
                    label: "\(route.operation)?\(parameter.name)", kinds: [kind],
                    call: { call(route, query: "?\(parameter.name)=\(($0[kind] ?? "").percentEncoded)\(more)") },
                    // A list of what belongs to somebody or something else is empty.
                    refuses: !["actor", "credential", "objectId", "outlet", "release"].contains(parameter.name))
            }
        }
    }

    var bodies: [IsolationSlot] {
        routes.flatMap { route -> [IsolationSlot] in
            guard case .json(let shape) = route.body else { return [] }
            return Self.texts(shape).compactMap { way, form in
                guard let form, let kind = Self.kind(of: way, form) else { return nil }
                return IsolationSlot(
                    label: "\(route.operation) /\(way.joined(separator: "/"))", kinds: [kind],
                    call: { texts in
                        call(
                            route, body: filled(shape, named: "", way: way[...], putting: texts[kind] ?? ""))
                    }, refuses: route.operation != "replayDeliveries" && way != ["role", "name"])
            }
        }
    }

    /// What the shapes do not say: proposed changes, lists of devices, conditions of a filter.
    var hidden: [IsolationSlot] {
        let changes: [(String, String, [String: JSONValue])] = [
            ("role.delete", "role", [:]), ("grant.put", "principal", ["role": "viewer"]),
            ("grant.put", "group", ["role": "viewer"]),
            ("grant.put", "role", ["principal": .string(own["principal"])]),
            ("grant.put", "domain", ["principal": .string(own["principal"]), "role": "viewer"]),
            ("grant.put", "device", ["principal": .string(own["principal"]), "role": "viewer"]),
            ("member.put", "group", ["principal": .string(own["user"])]),
            ("member.put", "principal", ["group": .string(own["group"])]),
            ("factor.policy", "role", ["level": "any"]),
        ]
        var slots = changes.map { kind, named, more in
            IsolationSlot(label: "proposeChange \(kind) \(named)", kinds: [named]) { texts in
                let change = JSONValue.object(more.merging([named: .string(texts[named] ?? "")]) { $1 })
                let body: JSONValue = ["kind": .string(kind), "reason": "x", "change": change]
                return .init(
                    method: .post, path: "\(base)/changes", text: body.canonical, mediaType: "application/json")
            }
        }
        slots += ["model", "domain"].map { kind in
            IsolationSlot(label: "registerDevices \(kind)", kinds: [kind]) { texts in
                .init(
                    method: .post, path: "\(base)/devices/bulk", text: "name,\(kind)\nlisted,\(texts[kind] ?? "")\n",
                    mediaType: "text/csv")
            }
        }
        slots.append(
            IsolationSlot(label: "orderOperationForList device", kinds: ["device"]) { texts in
                .init(
                    method: .post, path: "\(base)/operations/list?type=reboot",
                    text: "device\n\(texts["device"] ?? "")\n", mediaType: "text/csv")
            })
        slots += ["", "/preview"].map { step in
            IsolationSlot(label: "editDesiredForList\(step) device", kinds: ["device"]) { texts in
                .init(
                    method: .post, path: "\(base)/desired-edits/list\(step)",
                    text: "device,/interval\n\(texts["device"] ?? ""),5\n", mediaType: "text/csv")
            }
        }
        for path in ["devices", "devices/export"] {
            slots += ["model", "domain", "name"].map { word in
                let kind = word == "name" ? "device" : word
                return IsolationSlot(
                    label: "\(path)?filter \(word)", kinds: [kind],
                    call: { texts in
                        let filter = "\(word) = \"\(texts[kind] ?? "")\"".percentEncoded
                        return .init(method: .get, path: "\(base)/\(path)?filter=\(filter)")
                    }, refuses: false)
            }
        }
        return slots
    }

    // MARK: - Bodies

    /// A value of a shape with what it must have, and `text` at the end of the way.
    private func filled(
        _ shape: Shape, named name: String, way: ArraySlice<String>, putting text: String?
    ) -> JSONValue {
        switch shape {
        case .named(_, let inner), .nullable(let inner):
            return filled(inner, named: name, way: way, putting: text)
        case .object(let members):
            let present = members.filter { $0.isRequired || $0.name == way.first }.map { member in
                let next = member.name == way.first ? way.dropFirst() : []
                let put = member.name == way.first ? text : nil
                return (member.name, filled(member.shape, named: member.name, way: next, putting: put))
            }
            return .object(Dictionary(present) { first, _ in first })
        case .array(let element, _):
            return way.isEmpty ? [] : .array([filled(element, named: name, way: way.dropFirst(), putting: text)])
        case .map, .any: return [:]
        case .choice(let choices): return .string(choices.first ?? "")
        case .integer(let range): return .integer(max(range.lowerBound, 1))
        case .number: return 1
        case .boolean: return true
        case .text(let form):
            if let text { return .string(text) }
            if let kind = Self.kind(of: [name], form) { return .string(own[kind]) }
            switch form {
            // A little before and after the moment at which the tests begin.
            case .time: return name == "from" ? "2027-01-14T00:00:00Z" : "2027-01-25T00:00:00Z"
            case .slug: return "platform"
            default: return .string(name == "address" ? "sample@example.com" : "sample")
            }
        }
    }

    /// The body with what the shape can not demand.
    private func completed(_ operation: String, _ body: JSONValue) -> JSONValue {
        guard case .object(var members) = body else { return body }
        func holder(_ grant: JSONValue) -> JSONValue {
            guard case .object(var draft) = grant, draft["principal"] == nil, draft["group"] == nil else {
                return grant
            }
            draft["principal"] = .string(own["principal"])
            return .object(draft)
        }
        switch operation {
        case "createGrant": return holder(body)
        case "createCampaign", "previewCampaign":
            guard case .array(let groups)? = members["groups"], groups.contains(where: { $0["devices"] != nil }) else {
                if members["target"] == nil || members["target"] == [:] {
                    members["target"] = ["domain": .string(own["domain"])]
                }
                members["groups"] = nil
                break
            }
        case "orderOperation":
            if members["release"] != nil { members["type"] = "install" }
            if members["target"] == nil || members["target"] == [:] {
                members["target"] = ["domain": .string(own["domain"])]
            }
        case "editDesired", "previewDesiredEdit":
            members["change"] = ["interval": 6]
            if members["domain"] == nil, members["devices"] == nil { members["domain"] = .string(own["domain"]) }
        case "previewReach":
            if let grant = members["grant"] { members["grant"] = holder(grant) }
            if case .object(var move) = members["moveDomain"], move["to"] == nil || move["to"] == move["domain"] {
                move["to"] = "/"
                members["moveDomain"] = .object(move)
            }
        case "createClient":
            members.merge(["method": "secret", "flows": ["itself"]]) { $1 }
            members.merge(["role": .string(own["role"])]) { old, _ in old }
        case "putUpdateKey": members["pem"] = .string(IsolationThings.pem)
        case "putDirectory": members["openid"] = ["issuer": "https://id.example.net", "client": "c"]
        default: break
        }
        return .object(members)
    }
}
