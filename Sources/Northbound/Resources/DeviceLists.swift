import Access
import Base
import Fleet
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Many devices at once: in by CSV or JSON, out by CSV or JSON lines.
extension RouteTable {
    static func deviceLists(_ services: NorthboundServices) -> [Route] {
        let fleet = services.fleet
        let all = "/api/v1/tenants/{tenant}/devices"
        return [
            Route(
                .post, all + "/bulk", "registerDevices",
                "Registers up to 100,000 devices, all or none, and answers with their enrolment tokens; the content type of the list is that of the answer.",
                needs: .deviceManage,
                query: [
                    .query("tokenDays", .integer(1...366), "For how many days the enrolment tokens work; 7 by default.")
                ],
                body: .streamed(["text/csv", "application/json"]),
                success: .streamed(["text/csv", "application/x-ndjson"])
            ) { call in
                let format = try format(call)
                var reader = RegistrationReader(format, bytes: NorthboundLimits.uploadBytes)
                for try await part in call.request.body { try reader.consume(part.readableBytesView) }
                let registered = try await fleet.registerMany(
                    reader.finish(), in: call.tenant.id, by: call.principal, tokenLife: call.days("tokenDays"))
                return .stream(format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson") { writer in
                    for part in registered.chunks(format) { try await writer.write(part) }
                }
            },
            Route(
                .get, all + "/export", "exportDevices", "Answers with all devices that the caller may see.",
                needs: .deviceRead,
                query: [
                    .query(
                        "filter", .text(.free(atMost: FleetLimits.filterBytes)), "Which devices, as in the list."),
                    .query(
                        "format", .choice(["csv", "ndjson"]),
                        "The form of the answer, when the Accept field does not say it."),
                ], success: .streamed(["text/csv", "application/x-ndjson"])
            ) { call in
                let isCSV = !call.input.prefers("ndjson", "application/x-ndjson")
                let query = DeviceQuery(
                    filter: call.query.textIfAny("filter"), sort: .created, limit: FleetLimits.pageSize)
                // The first page is read before the answer begins, so that a wrong filter is still a clear refusal.
                let first = try await fleet.list(query, in: call.tenant.id, by: call.principal)
                return .stream(isCSV ? "text/csv; charset=utf-8" : "application/x-ndjson") { writer in
                    if isCSV { try await writer.write(DeviceLine.header) }
                    var (page, next) = (first, query)
                    while true {
                        try await writer.write(
                            page.items.map { isCSV ? DeviceLine.csv($0) : $0.json.canonical + "\n" }.joined())
                        guard let cursor = page.next else { break }
                        next.cursor = cursor
                        page = try await fleet.list(next, in: call.tenant.id, by: call.principal)
                    }
                }
            },
        ]
    }

    private static func format(_ call: Call) throws -> RegistrationReader.Format {
        let essence = (call.request.headers[.contentType] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        switch essence {
        case "text/csv": return .csv
        case "application/json": return .json
        default:
            throw Refusal(
                .invalid, "request.mediaType",
                "Say with Content-Type whether the list is text/csv or application/json (an array of devices).")
        }
    }
}

/// One device as a line of CSV.
private enum DeviceLine {
    static let header =
        "id,name,status,model,domain,capabilities,identifiers,labels,place,latitude,longitude,created,enrolled,online,"
        + "lastSeen,connections,protocol\r\n"

    static func csv(_ item: DevicePage.Item) -> String {
        let device = item.device
        func words(_ words: [String: String]) -> String {
            words.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ";")
        }
        let identifiers = device.identifiers.map { "\($0.kind.rawValue)=\($0.value)" }.joined(separator: ";")
        let presence = item.presence
        var cells: [String] = [device.id.text, device.name.text, device.status.rawValue]
        cells += [item.modelName?.text ?? "", device.domain.text, device.capabilities.list.joined(separator: " ")]
        cells += [identifiers, words(device.labels), device.place ?? ""]
        cells += [device.location.map { "\($0.latitude)" } ?? "", device.location.map { "\($0.longitude)" } ?? ""]
        cells += [device.created.rfc3339, device.enrolled?.rfc3339 ?? "", presence.isOnline ? "true" : "false"]
        cells += [presence.lastSeen?.rfc3339 ?? "", "\(presence.connections)", presence.transport ?? ""]
        return CSVCell.line(cells)
    }
}
