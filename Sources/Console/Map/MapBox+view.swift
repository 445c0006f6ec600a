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

extension MapBox {
    /// The box that an address asks for; nil when it asks for none that there is.
    init?(_ fields: FormFields) {
        let edges = ["west", "south", "east", "north"].compactMap { fields.text($0).flatMap { Double($0) } }
        guard edges.count == 4 else { return nil }
        self.init(west: edges[0], south: edges[1], east: edges[2], north: edges[3])
    }

    var width: Double { east - west }
    var height: Double { north - south }

    /// The address's fields.
    var query: String {
        "west=\(west.degrees)&south=\(south.degrees)&east=\(east.degrees)&north=\(north.degrees)"
    }

    /// A box around a point, twice as wide as high as maps here are, within the world.
    static func around(longitude: Double, latitude: Double, width: Double) -> MapBox {
        let width = min(max(width, ConsoleLimits.mapWidth), 360)
        let (half, quarter) = (width / 2, width / 4)
        let x = min(max(longitude, -180 + half), 180 - half)
        let y = min(max(latitude, -90 + quarter), 90 - quarter)
        return MapBox(
            west: max(x - half, -180), south: max(y - quarter, -90), east: min(x + half, 180),
            north: min(y + quarter, 90)) ?? .world
    }

    /// The box in the shape of a map that holds this one with a margin.
    var shaped: MapBox {
        .around(
            longitude: (west + east) / 2, latitude: (south + north) / 2, width: max(width, height * 2) * 1.15)
    }

    /// The same middle, this many times as wide.
    func zoomed(_ factor: Double) -> MapBox {
        .around(longitude: (west + east) / 2, latitude: (south + north) / 2, width: width * factor)
    }

    /// Moved by parts of its own size.
    func moved(east part: Double, north other: Double) -> MapBox {
        .around(
            longitude: (west + east) / 2 + width * part, latitude: (south + north) / 2 + height * other, width: width)
    }
}

extension Double {
    /// Degrees to about a metre, without a zero for nothing.
    var degrees: String {
        let rounded = (self * 100_000).rounded() / 100_000
        if rounded == rounded.rounded(), abs(rounded) < 1000 { return String(Int(rounded)) }
        let text = String(rounded)
        // What is that small is nothing here.
        return text.contains("e") ? "0" : text
    }
}
