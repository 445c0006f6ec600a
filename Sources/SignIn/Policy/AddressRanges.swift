package import Base
import Storage

/// Allow-lists between their column, words joined by spaces, and memory.
package enum AddressRanges {
    static func text(_ ranges: [AddressRange]) -> String { ranges.map(\.description).joined(separator: " ") }

    /// A range that can not be read must not open what it closed.
    static func read(_ text: String) throws -> [AddressRange] {
        try text.split(separator: " ").map { word in
            guard let range = AddressRange(word) else {
                throw StorageError(.corrupt, "an address range is not readable")
            }
            return range
        }
    }

    /// The ranges that a caller wrote; refuses with each wrong place.
    package static func parse(_ texts: [String], at place: String) throws -> [AddressRange] {
        guard texts.count <= SignInLimits.addressRanges else {
            throw Refusal(
                .invalid, "addresses.tooMany", "An allow-list has at most \(SignInLimits.addressRanges) ranges.")
        }
        var faults: [Refusal.Fault] = []
        var ranges: [AddressRange] = []
        for (index, text) in texts.enumerated() {
            if let range = AddressRange(text) {
                if !ranges.contains(range) { ranges.append(range) }
            } else {
                faults.append(
                    .init(place: "\(place)/\(index)", message: "must be like 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7"))
            }
        }
        guard faults.isEmpty else {
            throw Refusal(.invalid, "addresses.invalid", "An address range is wrong.", faults: faults)
        }
        return ranges
    }

    /// Whether somebody at this address may come in; nobody's address counts as none of the list.
    static func admit(_ address: String?, _ ranges: [AddressRange]) -> Bool {
        guard !ranges.isEmpty else { return true }
        guard let address = address.flatMap({ NetworkAddress($0) }) else { return false }
        return ranges.contains { $0.contains(address) }
    }
}
