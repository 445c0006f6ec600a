import Telemetry

/// Feeds the chunk format with bytes nobody vouches for; the first byte chooses how.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunk(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    switch start[0] % 3 {
    case 0: read(bytes)
    case 1: read(sealed(bytes))
    default: write(bytes)
    }
    return 0
}

/// Whatever is read keeps the promises of a chunk, and can be written again.
private func read(_ bytes: [UInt8]) {
    guard let chunk = try? Chunk(bytes) else { return }
    guard chunk.summaries.reduce(0, { $0 + $1.count }) <= 1 << 16, let columns = try? chunk.points() else { return }
    var builder = ChunkBuilder()
    for (column, summary) in zip(columns, chunk.summaries) {
        precondition(column.times.count == summary.count && column.mantissas.count == summary.count, "a wrong count")
        precondition(column.times.first == summary.firstTime && column.times.last == summary.lastTime, "a wrong time")
        do { try builder.add(column) } catch { preconditionFailure("a chunk that can not be written: \(error)") }
    }
    precondition((try? Chunk(builder.encoded()).points()) == columns, "a chunk changed when it was written again")
}

/// The content with the checksum that fits it (CRC-32 of ISO 3309, bit by bit), so that the reader looks behind it.
private func sealed(_ content: [UInt8]) -> [UInt8] {
    var sum = UInt32.max
    for byte in content {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }
    return content + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: ~sum >> $0) }
}

/// Columns made from the bytes come back as they were.
private func write(_ bytes: [UInt8]) {
    guard bytes.count > 2 else { return }
    let columnCount = Int(bytes[0] % 5) + 1
    let width = Int64(bytes[1] % 57)
    let rows = (bytes.count - 2) / (columnCount + 1)
    guard rows > 0 else { return }
    var times: [Int64] = []
    var time: Int64 = 0
    var columns = Array(repeating: [Int64](), count: columnCount)
    for row in 0..<rows {
        let cells = bytes[(2 + row * (columnCount + 1))...]
        time += Int64(cells[cells.startIndex]) * (row.isMultiple(of: 7) ? 1000 : 1) + 1
        times.append(time)
        for column in 0..<columnCount {
            let step = Int64(Int8(bitPattern: cells[cells.startIndex + column + 1])) << width
            columns[column].append((columns[column].last ?? 0) &+ step)
        }
    }
    var points = columns.enumerated().map {
        ChunkPoints(series: UInt32($0.offset), exponent: Int8($0.offset) - 2, times: times, mantissas: $0.element)
    }
    if bytes[0] & 0x80 != 0 {
        // A second column of one series, at times between the others'.
        for index in points.indices { points[index].times = times.map { $0 * 2 } }
        points.append(
            ChunkPoints(series: 0, exponent: 9, times: times.map { $0 * 2 + 1 }, mantissas: points[0].mantissas))
    }
    var builder = ChunkBuilder()
    for column in points {
        do { try builder.add(column) } catch { preconditionFailure("a column in order was refused: \(error)") }
    }
    do {
        let chunk = try Chunk(builder.encoded())
        let found = try chunk.points()
        precondition(found == points, "a chunk changed its points")
        precondition(chunk.summaries.map(\.minimum) == points.map { $0.mantissas.min() ?? 0 }, "a wrong minimum")
        precondition(
            chunk.summaries.map(\.sum) == points.map { $0.mantissas.reduce(0) { $0 + Int128($1) } }, "a wrong sum")
    } catch {
        preconditionFailure("a chunk that was just written can not be read: \(error)")
    }
}
