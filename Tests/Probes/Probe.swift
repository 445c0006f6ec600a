/// Checks that hold for whatever bytes a decoder is given, shared by the fuzz targets, which look for bytes that break
/// them, and by the tests, which run them over the corpus.
///
/// Each takes bytes and throws a ``ProbeFault`` when a promise is broken; a trap breaks all of them.
public enum Probe {
    /// Runs a probe on libFuzzer's bytes; a broken promise ends the process, as libFuzzer wants it.
    public static func run(_ start: UnsafePointer<UInt8>?, _ count: Int, _ probe: ([UInt8]) throws -> Void) -> CInt {
        do {
            try probe(Array(UnsafeBufferPointer(start: start, count: count)))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }

    static func check(_ isKept: Bool, _ promise: @autoclosure () -> String) throws {
        guard isKept else { throw ProbeFault(promise: promise()) }
    }

    /// The pieces of some bytes, each of this length but the last.
    static func pieces<Bytes: Collection<UInt8>>(_ bytes: Bytes, of length: Int) -> [Bytes.SubSequence] {
        var pieces: [Bytes.SubSequence] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            pieces.append(rest.prefix(max(length, 1)))
            rest = rest.dropFirst(max(length, 1))
        }
        return pieces
    }
}

/// A promise that a decoder did not keep.
public struct ProbeFault: Error, CustomStringConvertible {
    /// What was promised.
    public let promise: String
    /// The promise, as a sentence that says it was broken.
    public var description: String { "broken: \(promise)" }
}
