import Base

/// Decodes ThingsBoard's telemetry JSON: `{"key":value,…}`, `{"ts":milliseconds,"values":{…}}`, or an array of both.
///
/// Numbers, booleans and strings are values; a string that spells a plain decimal number is that number, as in
/// ThingsBoard; a nested array or object is kept as its text; null means that there is no value. As in ThingsBoard, an object has the second form exactly when it has both `ts` and `values`; otherwise these
/// are keys like any other.
enum ThingsBoardJSON {
    private static var noPrefix: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: nil, count: 0) }

    static func decode(
        _ scanner: inout JSONScanner, context: DecodingContext, names: inout SeriesNameCache,
        into batch: inout ReadingBatch
    ) throws(InputFault) {
        guard try scanner.take(UInt8(ascii: "[")) else {
            try element(&scanner, context: context, names: &names, into: &batch)
            return
        }
        if try scanner.take(UInt8(ascii: "]")) { throw InputFault(.empty, at: scanner.position) }
        repeat {
            try element(&scanner, context: context, names: &names, into: &batch)
        } while try scanner.more(until: UInt8(ascii: "]"))
    }

    /// Reads one object of either form.
    private static func element(
        _ scanner: inout JSONScanner, context: DecodingContext, names: inout SeriesNameCache,
        into batch: inout ReadingBatch
    ) throws(InputFault) {
        let mark = batch.mark
        let stamp = (time: context.received, isStamped: false)
        var time: DecimalNumber?
        var timePlace = 0
        var valuesPlace: Int?
        var isTimed = false
        try scanner.expect(UInt8(ascii: "{"))
        if try scanner.take(UInt8(ascii: "}")) { return }
        repeat {
            let key = try scanner.key()
            if isTimed {
                _ = try scanner.skip()
            } else if isTime(key), time == nil, startsNumber(try scanner.peek()) {
                timePlace = scanner.position
                time = try scanner.number()
                isTimed = valuesPlace != nil
            } else if isValues(key), valuesPlace == nil, try scanner.peek() == UInt8(ascii: "{") {
                valuesPlace = scanner.position
                if let time {
                    // The usual order: nothing need be read twice.
                    isTimed = true
                    batch.rewind(to: mark)
                    let stamp = (try DeviceTime.timestamp(milliseconds: time, at: timePlace), true)
                    try members(&scanner, stamp: stamp, context: context, names: &names, into: &batch)
                    valuesPlace = nil
                } else {
                    _ = try scanner.skip()
                }
            } else {
                try member(key, &scanner, stamp: stamp, context: context, names: &names, into: &batch)
            }
        } while try scanner.more(until: UInt8(ascii: "}"))
        if isTimed, valuesPlace == nil { return }
        guard time != nil || valuesPlace != nil else { return }
        let end = scanner.position
        defer { scanner.position = end }
        if let time, let valuesPlace {
            batch.rewind(to: mark)
            let stamp = (try DeviceTime.timestamp(milliseconds: time, at: timePlace), true)
            scanner.position = valuesPlace
            try members(&scanner, stamp: stamp, context: context, names: &names, into: &batch)
        } else {
            // Only one of the two: a key like any other.
            let key: StaticString = time == nil ? "values" : "ts"
            scanner.position = valuesPlace ?? timePlace
            try member(
                UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount), &scanner, stamp: stamp,
                context: context, names: &names, into: &batch)
        }
    }

    /// Reads the object of the second form's values.
    @inline(__always)
    private static func members(
        _ scanner: inout JSONScanner, stamp: (time: Timestamp, isStamped: Bool), context: DecodingContext,
        names: inout SeriesNameCache, into batch: inout ReadingBatch
    ) throws(InputFault) {
        try scanner.expect(UInt8(ascii: "{"))
        if try scanner.take(UInt8(ascii: "}")) { return }
        repeat {
            let key = try scanner.key()
            try member(key, &scanner, stamp: stamp, context: context, names: &names, into: &batch)
        } while try scanner.more(until: UInt8(ascii: "}"))
    }

    /// Reads the value of `key`.
    @inline(__always)
    private static func member(
        _ key: UnsafeBufferPointer<UInt8>, _ scanner: inout JSONScanner, stamp: (time: Timestamp, isStamped: Bool),
        context: DecodingContext, names: inout SeriesNameCache, into batch: inout ReadingBatch
    ) throws(InputFault) {
        let first = try scanner.peek()
        let place = scanner.position
        let series = try names.intern(noPrefix, key, rule: .anyText, limits: context.limits, at: place)
        let value: ReadingValue
        switch first {
        case UInt8(ascii: "\""):
            let text = try scanner.string()
            if let number = Self.number(text) {
                value = .number(number)
            } else {
                value = try batch.text(text, limits: context.limits, at: place)
            }
        case UInt8(ascii: "t"), UInt8(ascii: "f"): value = .boolean(try scanner.boolean())
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            value = try batch.text(try scanner.skip(), limits: context.limits, at: place)
        case UInt8(ascii: "n"):
            try scanner.literal("null")
            return
        default: value = .number(try scanner.number())
        }
        try batch.append(
            Reading(time: stamp.time, series: series, isStamped: stamp.isStamped, value: value), limits: context.limits,
            at: place)
    }

    /// The number that a string spells with a sign, digits and a point only; what is longer than a number can be, or has
    /// leading zeros, as identifiers do, stays text.
    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> DecimalNumber? {
        guard let first = text.first, startsNumber(first), text.count <= 32,
            !text.contains(where: { $0 | 0x20 == UInt8(ascii: "e") })
        else { return nil }
        var position = 0
        let number = try? DecimalNumber.scan(text, from: &position)
        return position == text.count ? number : nil
    }

    @inline(__always)
    private static func startsNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte &- 48 <= 9 }

    @inline(__always)
    private static func isTime(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        key.count == 2 && key[0] == UInt8(ascii: "t") && key[1] == UInt8(ascii: "s")
    }

    @inline(__always)
    private static func isValues(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        key.count == 6 && key.elementsEqual("values".utf8)
    }
}
