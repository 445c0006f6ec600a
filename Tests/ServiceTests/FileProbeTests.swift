import Foundation
import Probes
import Testing

/// As `ProbeTests`, for decoders that read files.
@Suite("What decoders of files promise for any bytes")
struct FileProbeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let corpus: String
        let count: Int
        let probe: @Sendable ([UInt8]) throws -> Void
        var testDescription: String { corpus }
    }

    @Test(
        "every file of the corpus, and what comes of it, is decoded as promised",
        arguments: [
            Case(corpus: "Snapshot", count: 1500, probe: Probe.snapshot),
            Case(corpus: "Archive", count: 1500, probe: Probe.archive),
            Case(corpus: "AuditBundle", count: 100, probe: Probe.auditBundle),
        ])
    func holds(one: Case) throws {
        let folder = URL(filePath: #filePath).appending(path: "../../../Fuzz/Corpus/\(one.corpus)").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        try #require(!files.isEmpty)
        let corpus = try files.sorted { $0.path < $1.path }.map { [UInt8](try Data(contentsOf: $0)) }
        for input in corpus { try one.probe(input) }
        for input in Mutations(of: corpus, count: one.count) {
            do {
                try one.probe(input)
            } catch {
                Issue.record("\(error), for \(input)")
                return
            }
        }
    }
}
