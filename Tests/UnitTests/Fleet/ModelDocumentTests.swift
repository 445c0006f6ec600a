import Base
import Testing

@testable import Fleet

@Suite("A model's document")
struct ModelDocumentTests {
    @Test("an empty document has the defaults that suit an unmodified client")
    func defaults() throws {
        let document = try ModelDocument(json: [:])
        #expect(document == ModelDocument())
        #expect(document.undeclared == .accept)
        #expect(document.clientIdentifier == .replace)
        #expect(!document.allowsAccessToken)
        #expect(document.oneCertificateForBoth)
        #expect(document.certificateDays == 30)
    }

    @Test("what is written out reads back the same")
    func roundTrip() throws {
        let document = ModelDocument(
            description: "A meter",
            series: [
                SeriesDeclaration(name: "power", unit: "W", exponent: -1, lower: 0, upper: 1e5),
                SeriesDeclaration(name: "/3303/0/5700", unit: "Cel"),
                SeriesDeclaration(name: "door", kind: .boolean),
            ], undeclared: .quarantine, clientIdentifier: .match, allowsAccessToken: true, oneCertificateForBoth: false,
            certificateDays: 90, timeWindow: .init(past: .seconds(60), future: .seconds(5)),
            components: [Name("system")!, Name("modem")!])
        let text = document.json.canonical
        #expect(try ModelDocument(json: try JSONValue(parsing: Array(text.utf8))) == document)
    }

    @Test(
        "each fault is named with its JSON pointer",
        arguments: [
            ("[]", ""), ("{\"undeclared\":\"drop\"}", "/undeclared"), ("{\"serie\":[]}", "/serie"),
            ("{\"series\":[{}]}", "/series/0/name"),
            ("{\"series\":[{\"name\":\"a\",\"exponent\":99}]}", "/series/0/exponent"),
            ("{\"series\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "/series/1/name"),
            ("{\"series\":[{\"name\":\"a\",\"lower\":2,\"upper\":1}]}", "/series/0/upper"),
            ("{\"series\":[{\"name\":\"a\",\"kind\":\"text\",\"unit\":\"W\"}]}", "/series/0/unit"),
            ("{\"certificateDays\":0}", "/certificateDays"), ("{\"allowsAccessToken\":1}", "/allowsAccessToken"),
            ("{\"timeWindow\":{\"pastSeconds\":-1}}", "/timeWindow/pastSeconds"),
            ("{\"timeWindow\":{\"past\":1}}", "/timeWindow/past"), ("{\"components\":[\"a\",\"a\"]}", "/components/1"),
            ("{\"a/b\":1}", "/a~1b"),
        ])
    func faults(text: String, place: String) throws {
        let json = try JSONValue(parsing: Array(text.utf8))
        let refusal = #expect(throws: Refusal.self) { try ModelDocument(json: json) }
        #expect(refusal?.code == "model.invalid")
        #expect(refusal?.faults.map(\.place) == [place])
    }

    @Test("a range allows its ends and nothing beyond, and never not-a-number")
    func range() {
        let series = SeriesDeclaration(name: "a", lower: 0, upper: 10)
        #expect(series.allows(0) && series.allows(10))
        #expect(!series.allows(-0.1) && !series.allows(10.1) && !series.allows(.nan) && !series.allows(.infinity))
        #expect(SeriesDeclaration(name: "a").allows(-1e300))
    }
}
