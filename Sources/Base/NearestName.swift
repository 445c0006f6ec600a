extension Sequence<String> {
    /// The element that looks most like `name`, for "did you mean …?", or nil when none is near.
    ///
    /// Near means at most two fifths of the letters wrong (Levenshtein distance, letter case ignored).
    public func nearest(to name: String) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars.prefix(64))
        var best: (distance: Int, element: String)?
        for element in self {
            let candidate = Array(element.lowercased().unicodeScalars.prefix(64))
            let distance = Self.distance(wanted, candidate)
            guard distance * 5 <= Swift.max(wanted.count, candidate.count) * 2, distance < best?.distance ?? .max else {
                continue
            }
            best = (distance, element)
        }
        return best?.element
    }

    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var row = Array(0...right.count)
        for (i, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = Swift.min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
