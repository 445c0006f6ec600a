/// Finds runs of digits, letters and keys in their order: `12345`, `edcba`, `QwErT`, `)(*&^`.
enum CharacterSequences {
    /// Each order with the same keys when shift is held, so that case does not matter.
    private static let orders: [(plain: String, shifted: String)] = [
        ("0123456789", "0123456789"),
        ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("`1234567890-=", "~!@#$%^&*()_+"),
        ("qwertyuiop[]\\", "QWERTYUIOP{}|"),
        ("asdfghjkl;'", "ASDFGHJKL:\""),
        ("zxcvbnm,./", "ZXCVBNM<>?"),
    ]

    /// Where each character stands in each order.
    private static let places: [[Unicode.Scalar: Int]] = orders.map { plain, shifted in
        var places: [Unicode.Scalar: Int] = [:]
        for row in [plain, shifted] {
            for (place, scalar) in row.unicodeScalars.enumerated() { places[scalar] = place }
        }
        return places
    }

    /// The longest runs of at least this many characters, by their places in the text, without overlaps.
    static func runs(in text: String, ofAtLeast least: Int) -> [Range<Int>] {
        let scalars = Array(text.unicodeScalars)
        var found: [Range<Int>] = []
        var start = 0
        while start < scalars.count {
            let length =
                places.map { places in
                    max(run(scalars, from: start, in: places, step: 1), run(scalars, from: start, in: places, step: -1))
                }.max() ?? 1
            if length >= least {
                found.append(start..<start + length)
                start += length
            } else {
                start += 1
            }
        }
        return found
    }

    private static func run(
        _ scalars: [Unicode.Scalar], from start: Int, in places: [Unicode.Scalar: Int], step: Int
    ) -> Int {
        guard var place = places[scalars[start]] else { return 0 }
        var length = 1
        while start + length < scalars.count, places[scalars[start + length]] == place + step {
            place += step
            length += 1
        }
        return length
    }
}
