/// One prepared message: a reading without a time, or a concentrator's batch whose times are written in at each sending.
struct Payload: Sendable {
    private(set) var bytes: [UInt8]
    /// Where each record's thirteen digits of milliseconds begin.
    private var times: [Int] = []
    /// How many records the message holds.
    var records: Int { max(times.count, 1) }

    /// A message of one reading, as it stands in the file of readings.
    init(reading: [UInt8]) { bytes = reading }

    /// A message of several readings in ThingsBoard's form with times.
    init(batch readings: [[UInt8]]) {
        bytes = [UInt8(ascii: "[")]
        for (index, reading) in readings.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: #"{"ts":"#.utf8)
            times.append(bytes.count)
            bytes.append(contentsOf: "0000000000000".utf8)
            bytes.append(contentsOf: #","values":"#.utf8)
            bytes.append(contentsOf: reading)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Gives each record the next millisecond, so that no two of a device are the same reading.
    mutating func stamp(_ time: inout Int64) {
        for start in times {
            time += 1
            var rest = time
            for offset in stride(from: 12, through: 0, by: -1) {
                bytes[start + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
    }
}
