public import Access
public import Base
import Storage

/// A part of the world: degrees, the west before the east.
public struct MapBox: Sendable, Hashable {
    /// The western edge.
    public let west: Double
    /// The southern edge.
    public let south: Double
    /// The eastern edge.
    public let east: Double
    /// The northern edge.
    public let north: Double

    /// The box with these edges; nil when they are not on the globe, or not in this order.
    public init?(west: Double, south: Double, east: Double, north: Double) {
        guard [west, south, east, north].allSatisfy(\.isFinite), west >= -180, east <= 180, south >= -90, north <= 90,
            west < east, south < north
        else { return nil }
        (self.west, self.south, self.east, self.north) = (west, south, east, north)
    }

    /// The whole world.
    public static let world = MapBox(everything: ())

    private init(everything: Void) { (west, south, east, north) = (-180, -90, 180, 90) }
}

/// Devices that stand close to each other on a map, or one that stands alone.
public struct MapCluster: Sendable, Hashable {
    /// How many.
    public let count: Int
    /// The middle of their positions.
    public let middle: Location
    /// The smallest edges that hold them: south, west, north, east.
    public let south: Double
    /// The western edge.
    public let west: Double
    /// The northern edge.
    public let north: Double
    /// The eastern edge.
    public let east: Double
    /// The device's name, when it is only one.
    public let device: String?
}

extension Fleet {
    /// The devices in a box that the caller may see, put together on a grid of at most ``FleetLimits/mapCells`` cells.
    ///
    /// It reads one index that has all it needs, and only the stretch between the box's northern and southern edges.
    public func clusters(
        in box: MapBox, columns: Int, rows: Int, in tenant: TenantID, by principal: Principal
    ) async throws -> [MapCluster] {
        let (columns, rows) = (min(max(columns, 1), 64), min(max(rows, 1), 64))
        return try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let condition = try condition(nil, of: tenant, for: principal, &sql, in: transaction)
            let within = Self.within(box, &sql)
            // Whole numbers divide alike in both engines; what a cast rounds is far below a pixel.
            let scale = 1_000_000.0
            let width = max(Int64((box.east - box.west) * scale) / Int64(columns), 1)
            let height = max(Int64((box.north - box.south) * scale) / Int64(rows), 1)
            let (west, south, factor) = (sql.bind(box.west), sql.bind(box.south), sql.bind(scale))
            let column = "CAST((d.longitude - \(west)) * \(factor) AS BIGINT) / \(sql.bind(width))"
            let row = "CAST((d.latitude - \(south)) * \(factor) AS BIGINT) / \(sql.bind(height))"
            let statement = """
                SELECT count(*), avg(d.latitude), avg(d.longitude), min(d.latitude), min(d.longitude),
                    max(d.latitude), max(d.longitude), min(d.name)
                FROM device d WHERE d.tenant = $1 AND \(within) AND \(condition ?? "1 = 1")
                GROUP BY \(row), \(column) LIMIT \(FleetLimits.mapCells)
                """
            return try transaction.rows(statement, arguments: sql.arguments).compactMap { found -> MapCluster? in
                let count = try found.int(0)
                guard let middle = Location(latitude: try found.real(1), longitude: try found.real(2)) else {
                    return nil
                }
                return MapCluster(
                    count: count, middle: middle,
                    south: try found.real(3), west: try found.real(4), north: try found.real(5),
                    east: try found.real(6), device: count == 1 ? try found.text(7) : nil)
            }
        }
    }

    /// How many of the devices that the caller may see have no position.
    public func countUnplaced(in tenant: TenantID, by principal: Principal) async throws -> Int {
        try await database.tenant(tenant).read { transaction in
            var sql = SQLBuilder()
            let condition = try condition(nil, of: tenant, for: principal, &sql, in: transaction) ?? "1 = 1"
            func count(_ more: String) throws -> Int {
                try transaction.row(
                    "SELECT count(*) FROM device d WHERE d.tenant = $1 AND \(condition)\(more)",
                    arguments: sql.arguments)?.int(0) ?? 0
            }
            return try count("") - count(" AND d.latitude IS NOT NULL")
        }
    }

    /// The condition that a device stands in a box; the edges of the world belong to it, and so do a box's own.
    static func within(_ box: MapBox, _ sql: inout SQLBuilder) -> String {
        """
        d.latitude IS NOT NULL AND d.latitude >= \(sql.bind(box.south)) AND d.latitude <= \(sql.bind(box.north)) \
        AND d.longitude >= \(sql.bind(box.west)) AND d.longitude <= \(sql.bind(box.east))
        """
    }
}
