import Access
public import Base
import HTTPTypes

/// The OpenAPI 3.1 description of a route table.
public struct OpenAPIDocument: Sendable {
    /// The document.
    public let value: JSONValue

    /// Describes `table`; `version` is the API's, not the program's, so that the document changes only with the API.
    public init(_ table: RouteTable, version: String = "1") {
        var components = ShapeComponents()
        var paths: [String: JSONValue] = [:]
        for (path, routes) in table.byPath {
            var item: [String: JSONValue] = [:]
            let parameters = (routes.first?.pathParameters ?? []).compactMap(RouteTable.pathParameter)
            if !parameters.isEmpty {
                item["parameters"] = .array(parameters.map { Self.parameter($0, &components) })
            }
            for route in routes { item[route.method.rawValue.lowercased()] = Self.operation(route, &components) }
            paths[path] = .object(item)
        }
        _ = components.reference(Problem.shape)
        value = [
            "openapi": "3.1.0",
            "info": [
                "title": "Tidegate", "version": .string(version),
                "description": .string(Self.introduction),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/", "description": "This server."]],
            "security": [["token": []]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(components.schemas),
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "A token made with `tidegate admin token create` or by this API.",
                    ]
                ],
                "responses": ["Problem": Self.problemResponse],
                "parameters": ["IdempotencyKey": Self.idempotencyKey],
            ],
        ]
    }

    private static let introduction = """
        Errors are problem documents (RFC 9457) with a stable `code`. What is absent and what is not for the caller \
        look the same: 404. Lists answer with `items` and `next`; give `next` back as `after` for the page that \
        follows. Times are RFC 3339 in UTC. A device or model is named by its name or by its identifier.
        """

    private static let problemResponse: JSONValue = [
        "description": "Why the request was refused.",
        "content": [
            .init(stringLiteral: Problem.mediaType): ["schema": ["$ref": "#/components/schemas/Problem"]]
        ],
    ]

    private static let idempotencyKey: JSONValue = [
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": """
        Makes a write safe to repeat: within 24 hours the same key with the same request gets the first answer \
        again, with another request 422.
        """,
        "schema": [
            "type": "string", "minLength": 1, "maxLength": .integer(Int64(NorthboundLimits.idempotencyKeyCharacters)),
        ],
    ]

    private static func parameter(_ parameter: Parameter, _ components: inout ShapeComponents) -> JSONValue {
        var object: [String: JSONValue] = [
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": .bool(parameter.isRequired), "description": .string(parameter.note),
            "schema": components.describe(parameter.shape),
        ]
        if case .array = parameter.shape {
            object["style"] = "form"
            object["explode"] = false
        }
        return .object(object)
    }

    private static func operation(_ route: Route, _ components: inout ShapeComponents) -> JSONValue {
        var object: [String: JSONValue] = [
            "operationId": .string(route.operation),
            "summary": .string(route.summary),
            "tags": [.string(tag(of: route))],
        ]
        var parameters = route.query.map { parameter($0, &components) }
        if route.isRepeatable { parameters.append(["$ref": "#/components/parameters/IdempotencyKey"]) }
        if !parameters.isEmpty { object["parameters"] = .array(parameters) }
        switch route.requirement {
        case .unauthenticated: object["security"] = []
        case .authenticated: object["x-permission"] = .null
        case .permission(let permission): object["x-permission"] = .string(permission.rawValue)
        }
        switch route.body {
        case .none: break
        case .json(let shape):
            components.isClosed = true
            defer { components.isClosed = false }
            object["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": components.describe(shape)]],
            ]
        case .streamed(let mediaTypes):
            object["requestBody"] = ["required": true, "content": content(mediaTypes)]
        }
        object["responses"] = responses(route, &components)
        return .object(object)
    }

    private static func responses(_ route: Route, _ components: inout ShapeComponents) -> JSONValue {
        var responses: [String: JSONValue] = ["default": ["$ref": "#/components/responses/Problem"]]
        func json(_ shape: JSONValue) -> JSONValue { ["application/json": ["schema": shape]] }
        switch route.success {
        case .nothing: responses["204"] = ["description": "Done."]
        case .json(let shape):
            responses["200"] = ["description": "The answer.", "content": json(components.describe(shape))]
        case .created(let shape):
            responses["201"] = [
                "description": "The new object.", "content": json(components.describe(shape)),
                "headers": [
                    "Location": ["description": "The new object's address.", "schema": ["type": "string"]]
                ],
            ]
        case .page(let shape):
            let page: JSONValue = [
                "type": "object", "required": ["items", "next"],
                "properties": [
                    "items": ["type": "array", "items": components.describe(shape)],
                    "next": [
                        "type": ["string", "null"],
                        "description": "The cursor of the next page; null on the last.",
                    ],
                ],
            ]
            responses["200"] = ["description": "One page.", "content": json(page)]
        case .jsonOr(let shape, let mediaTypes):
            var all = content(mediaTypes)
            if case .object(var members) = all {
                members["application/json"] = ["schema": components.describe(shape)]
                all = .object(members)
            }
            responses["200"] = ["description": "The answer.", "content": all]
        case .streamed(let mediaTypes):
            responses["200"] = ["description": "The answer.", "content": content(mediaTypes)]
        }
        return .object(responses)
    }

    private static func content(_ mediaTypes: [String]) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: mediaTypes.map { ($0, ["schema": ["type": "string"]]) }))
    }

    /// The first fixed step behind the version or the tenant names the kind of thing.
    private static func tag(of route: Route) -> String {
        let steps = route.path.split(separator: "/").dropFirst(2)
        guard steps.first == "tenants", steps.count > 2 else { return steps.first.map(String.init) ?? "server" }
        return String(steps[steps.startIndex + 2])
    }
}
