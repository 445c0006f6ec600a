/// A unit as people write it; programs and CSV get the one that SenML has (RFC 8428).
enum Unit {
    private static let written = [
        "Cel": "°C", "Ohm": "Ω", "%RH": "% RH", "m2": "m²", "m3": "m³", "m3/s": "m³/s", "m/s2": "m/s²",
        "W/m2": "W/m²", "kg/m3": "kg/m³",
    ]

    /// The unit for people; empty when there is none.
    static func shown(_ unit: String?) -> String { unit.map { written[$0] ?? $0 } ?? "" }
}
