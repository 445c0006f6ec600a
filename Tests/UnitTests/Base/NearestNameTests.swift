import Base
import Testing

@Suite struct NearestNameTests {
    @Test(
        "the nearest name is found when it is near enough",
        arguments: [
            ("limt", "limit"), ("LIMIT", "limit"), ("aftre", "after"), ("xyz", nil), ("", nil), ("sort", "sort"),
        ] as [(String, String?)])
    func nearest(name: String, expected: String?) {
        #expect(["limit", "after", "sort"].nearest(to: name) == expected)
    }
}
