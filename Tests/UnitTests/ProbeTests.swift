import Foundation
import Probes
import Testing

/// The fuzz targets' promises over their corpus, and over a few thousand inputs that came of it.
@Suite("What decoders promise for any bytes")
struct ProbeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let corpus: String
        let probe: @Sendable ([UInt8]) throws -> Void
        var testDescription: String { corpus }
    }

    static let cases = [
        Case(corpus: "CSV", probe: Probe.csv), Case(corpus: "JSONArray", probe: Probe.jsonArray),
        Case(corpus: "Registration", probe: Probe.registration),
        Case(corpus: "DeviceFilter", probe: Probe.deviceFilter), Case(corpus: "Cursor", probe: Probe.cursor),
        Case(corpus: "Query", probe: Probe.query), Case(corpus: "JSON", probe: Probe.json),
        Case(corpus: "AuditNote", probe: Probe.auditNote), Case(corpus: "DeviceReport", probe: Probe.deviceReport),
        Case(corpus: "CBOR", probe: Probe.cbor), Case(corpus: "PasskeyAnswer", probe: Probe.passkeyAnswer),
        Case(corpus: "SenMLJSON", probe: Probe.senMLJSON), Case(corpus: "SenMLCBOR", probe: Probe.senMLCBOR),
        Case(corpus: "ThingsBoard", probe: Probe.thingsBoard), Case(corpus: "Update", probe: Probe.update),
        Case(corpus: "Signature", probe: Probe.signature), Case(corpus: "DDI", probe: Probe.ddi),
        Case(corpus: "Agent", probe: Probe.agent),
    ]

    @Test("every input of the corpus, and what comes of it, is decoded as promised", arguments: cases)
    func holds(one: Case) throws {
        let corpus = try Self.corpus(one.corpus)
        for input in corpus { try one.probe(input) }
        for input in Mutations(of: corpus, count: 3000) {
            do {
                try one.probe(input)
            } catch {
                Issue.record("\(error), for \(input)")
                return
            }
        }
    }

    /// The inputs in `Fuzz/Corpus/NAME`, the same order everywhere.
    static func corpus(_ name: String) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).appending(path: "../../../Fuzz/Corpus/\(name)").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        try #require(!files.isEmpty)
        return try files.sorted { $0.path < $1.path }.map { [UInt8](try Data(contentsOf: $0)) }
    }
}
