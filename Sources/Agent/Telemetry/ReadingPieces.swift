import Base

/// How a part of readings goes to a server that refuses all of them for one fault: whole, then in halves, until what is
/// at fault stands alone and is given up.
struct ReadingPieces {
    /// What was not sent yet, the next piece last.
    private var waiting: [ArraySlice<JSONValue>]
    private var refusals = 0

    /// Readings of one part.
    init(_ readings: [JSONValue]) { waiting = readings.isEmpty ? [] : [readings[...]] }

    /// What is to be sent next; nil when nothing is left.
    var next: ArraySlice<JSONValue>? { waiting.last }

    /// The server has the piece.
    mutating func taken() { waiting.removeLast() }

    /// The server will never take the piece as it is; how many readings are given up by that.
    ///
    /// A server that refuses everything is not asked a thousand times: after some refusals a piece goes as a whole.
    mutating func refused() -> Int {
        guard let piece = waiting.popLast() else { return 0 }
        refusals += 1
        guard piece.count > 1, refusals < AgentLimits.refusalsOfPart else { return piece.count }
        let middle = piece.startIndex + piece.count / 2
        waiting.append(piece[middle...])
        waiting.append(piece[..<middle])
        return 0
    }
}
