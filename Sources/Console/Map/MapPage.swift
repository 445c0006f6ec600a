import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Where devices stand: marks on outlines of the countries, put together on the server, and the same as a table.
struct MapPage: PageView {
    static let template = "map"
    static let menu: MenuItem? = .map

    /// One device or several that stand close together.
    struct Mark: Sendable {
        let x: String
        let y: String
        let radius: String
        /// How many; nil for one.
        let number: String?
        let numberY: String
        let kind: String
        let label: String
        let markAddress: String
        let listAddress: String?
        let position: String
    }

    /// A way to another part of the world; not there when it leads to the same.
    struct Way: Sendable {
        let label: String
        let icon: String
        let wayAddress: String
    }

    let title = "Map"
    let summary: String
    let unplaced: Unplaced?
    let viewBox: String
    let land: String?
    let words: String
    let fontSize: String
    let marks: [Mark]
    let hasMarks: Bool
    let ways: [Way]
    let isEmpty: Bool

    /// Devices without a position.
    struct Unplaced: Sendable {
        let count: String
        let unplacedAddress: String
    }
}

/// The devices of a part of the map, or those without a position, a page at a time.
struct MapListPage: PageView {
    static let template = "map-devices"
    static let menu: MenuItem? = .map

    struct Line: Sendable {
        let deviceName: String
        let deviceAddress: String
        let position: String
        let badge: Badge
    }

    let title: String
    let summary: String
    let mapAddress: String
    let lines: [Line]
    let isNone: Bool
    let next: String?
}

extension PageTable {
    static func map(_ console: ConsoleParts, _ assets: Assets) -> [Page] {
        let land = assets.address("land.svg")
        return [
            Page("/map", needs: .deviceRead) { visit in try await .show(MapPage(console, visit, land: land)) },
            Page("/map/devices", needs: .deviceRead) { visit in try await .show(MapListPage(console, visit)) },
        ]
    }
}

extension MapPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit, land: String?) async throws {
        let (tenant, principal, map) = (visit.tenant.id, visit.principal, "\(visit.home)/map")
        let (box, clusters) = try await Self.view(console, visit)
        let count = clusters.reduce(0) { $0 + $1.count }
        let left = try await console.fleet.countUnplaced(in: tenant, by: principal)
        self.land = land
        summary = count == 1 ? "1 device here" : "\(count.grouped) devices here"
        unplaced =
            left > 0
            ? Unplaced(
                count: left == 1 ? "1 device has no position" : "\(left.grouped) devices have no position",
                unplacedAddress: map + "/devices?unplaced=1") : nil
        viewBox = "\(box.west.degrees) \((-box.north).degrees) \(box.width.degrees) \(box.height.degrees)"
        words = "Map from \(Self.position(box.south, box.west)) to \(Self.position(box.north, box.east)): \(summary)"
        fontSize = (box.width * 0.0105).fine
        let sorted = clusters.sorted {
            ($1.count, $0.device ?? "", $0.middle.latitude) < ($0.count, $1.device ?? "", $1.middle.latitude)
        }
        marks = sorted.map { Self.mark($0, box, visit) }
        hasMarks = !marks.isEmpty
        let isWhole = box == .world
        let steps: [(String, String, MapBox)] = [
            ("Zoom in", "plus", box.zoomed(0.5)), ("Zoom out", "minus", box.zoomed(2)),
            ("West", "west", box.moved(east: -0.4, north: 0)), ("East", "next", box.moved(east: 0.4, north: 0)),
            ("North", "north", box.moved(east: 0, north: 0.4)), ("South", "chevron", box.moved(east: 0, north: -0.4)),
        ]
        ways =
            steps.filter { $0.2 != box }.map { Way(label: $0.0, icon: $0.1, wayAddress: "\(map)?\($0.2.query)") }
            + [Way(label: "All devices", icon: "devices", wayAddress: map)]
            + (isWhole ? [] : [Way(label: "World", icon: "map", wayAddress: "\(map)?\(MapBox.world.query)")])
        isEmpty = marks.isEmpty && visit.query.text("west") == nil
    }

    /// The box that is asked for, otherwise one around all devices, and what stands in it.
    private static func view(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> (MapBox, [MapCluster]) {
        func clusters(_ box: MapBox) async throws -> [MapCluster] {
            try await console.fleet.clusters(
                in: box, columns: ConsoleLimits.mapColumns, rows: ConsoleLimits.mapColumns / 2, in: visit.tenant.id,
                by: visit.principal)
        }
        if let asked = MapBox(visit.query) {
            let box = MapBox.around(
                longitude: (asked.west + asked.east) / 2, latitude: (asked.south + asked.north) / 2,
                width: max(asked.width, asked.height * 2))
            return (box, try await clusters(box))
        }
        let all = try await clusters(.world)
        guard let south = all.map(\.south).min(), let west = all.map(\.west).min(),
            let north = all.map(\.north).max(), let east = all.map(\.east).max()
        else { return (.world, []) }
        let box = MapBox.around(
            longitude: (west + east) / 2, latitude: (south + north) / 2,
            width: max(east - west, (north - south) * 2, ConsoleLimits.mapWidth * 20) * 1.15)
        return box.width > 300 ? (.world, all) : (box, try await clusters(box))
    }

    private static func mark(_ cluster: MapCluster, _ box: MapBox, _ visit: TenantVisit) -> Mark {
        let map = "\(visit.home)/map"
        let (x, y) = (cluster.middle.longitude, -cluster.middle.latitude)
        let digits = cluster.count == 1 ? 0 : String(cluster.count).count
        let radius = box.width * (digits == 0 ? 0.0065 : 0.0075 + 0.0026 * Double(digits))
        let position = Self.position(cluster.middle.latitude, cluster.middle.longitude)
        if let device = cluster.device {
            return Mark(
                x: x.fine, y: y.fine, radius: radius.fine, number: nil, numberY: y.fine, kind: "one", label: device,
                markAddress: "\(visit.home)/devices/\(device)", listAddress: nil, position: position)
        }
        // Devices at one spot are never parted by coming closer: then the list is the way.
        let spread = MapBox(
            west: cluster.west, south: cluster.south, east: max(cluster.east, cluster.west.nextUp),
            north: max(cluster.north, cluster.south.nextUp))
        let edges = spread?.padded ?? box
        let list = "\(map)/devices?\(edges.query)"
        let canPart = max(edges.width, edges.height) > ConsoleLimits.mapWidth / 4 && box.width > ConsoleLimits.mapWidth
        let nearer = edges.shaped.width < box.width ? edges.shaped : box.zoomedTo(edges)
        return Mark(
            x: x.fine, y: y.fine, radius: radius.fine, number: cluster.count.grouped,
            numberY: (y + box.width * 0.0036).fine, kind: "many", label: "\(cluster.count.grouped) devices",
            markAddress: canPart ? "\(map)?\(nearer.query)" : list, listAddress: list, position: position)
    }

    static func position(_ latitude: Double, _ longitude: Double) -> String {
        "\(abs(latitude).degrees)° \(latitude < 0 ? "S" : "N"), \(abs(longitude).degrees)° \(longitude < 0 ? "W" : "E")"
    }
}

extension MapBox {
    /// Wider by what the address's digits round away.
    fileprivate var padded: MapBox {
        let margin = 0.00002
        return MapBox(
            west: max(west - margin, -180), south: max(south - margin, -90), east: min(east + margin, 180),
            north: min(north + margin, 90)) ?? self
    }

    fileprivate func zoomedTo(_ inner: MapBox) -> MapBox {
        .around(
            longitude: (inner.west + inner.east) / 2, latitude: (inner.south + inner.north) / 2, width: width / 2)
    }
}

extension Double {
    /// A coordinate as SVG takes it.
    fileprivate var fine: String {
        let rounded = (self * 1_000_000).rounded() / 1_000_000
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}

extension MapListPage {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let map = "\(visit.home)/map"
        var query = DeviceQuery(cursor: visit.query.text("cursor"), limit: ConsoleLimits.siteRows, counting: .all)
        let own: String
        if visit.query.has("unplaced") {
            query.position = .nowhere
            own = "unplaced=1"
            title = "Devices without a position"
            mapAddress = map
        } else {
            guard let box = MapBox(visit.query) else {
                throw Refusal(.invalid, "map.box", "This is no part of the world. Go to the map and choose one.")
            }
            query.position = .within(box)
            own = box.query
            title = "Devices on this part of the map"
            mapAddress = "\(map)?\(box.shaped.query)"
        }
        let page = try await console.fleet.list(query, in: visit.tenant.id, by: visit.principal)
        let count = page.count?.number ?? page.items.count
        summary = count == 1 ? "1 device" : "\(count.grouped) devices"
        lines = page.items.map { item in
            Line(
                deviceName: item.device.name.text, deviceAddress: "\(visit.home)/devices/\(item.device.name)",
                position: item.device.location.map { MapPage.position($0.latitude, $0.longitude) } ?? "",
                badge: Badge(item.device.status, item.presence))
        }
        isNone = lines.isEmpty
        next = page.next.map { "\(map)/devices?\(own)&cursor=\($0)" }
    }
}
