/// How a payload is written.
public enum TelemetryFormat: String, Hashable, Sendable {
    /// SenML in JSON (RFC 8428, section 5).
    case senMLJSON
    /// SenML in CBOR (RFC 8428, section 6).
    case senMLCBOR
    /// ThingsBoard's telemetry JSON.
    case thingsBoardJSON

    /// Whether `payload` begins as gzip does (RFC 1952, section 2.3.1).
    static func isGzip(_ payload: UnsafeBufferPointer<UInt8>) -> Bool {
        payload.count >= 2 && payload[0] == 0x1F && payload[1] == 0x8B
    }

    /// Finds the format of a payload that carries no content type, as MQTT 3.1.1 payloads do.
    ///
    /// A first byte of 0x80 to 0x9F is a CBOR array: SenML CBOR. After white space, `{` is ThingsBoard's. An array, `[`,
    /// is SenML exactly when its first object has a member `bn` or `n` that is a string: SenML's first record must
    /// have one of them. Who reports a text series called `n` in an array uses ThingsBoard's own topic, where nothing
    /// is guessed.
    static func find(_ payload: UnsafeBufferPointer<UInt8>, depthLimit: Int) throws(InputFault) -> TelemetryFormat {
        guard let first = payload.first else { throw InputFault(.empty, at: 0) }
        if (0x80...0x9F).contains(first) { return .senMLCBOR }
        var scanner = JSONScanner(payload, depthLimit: depthLimit)
        switch try scanner.peek() {
        case UInt8(ascii: "{"): return .thingsBoardJSON
        case UInt8(ascii: "["): break
        default: throw InputFault(.unknownFormat, at: scanner.position)
        }
        try scanner.expect(UInt8(ascii: "["))
        guard try scanner.take(UInt8(ascii: "{")), try scanner.peek() != UInt8(ascii: "}") else {
            return .thingsBoardJSON
        }
        repeat {
            let key = try scanner.key()
            let isName =
                key.last == UInt8(ascii: "n") && (key.count == 1 || key.count == 2 && key[0] == UInt8(ascii: "b"))
            if isName, try scanner.peek() == UInt8(ascii: "\"") { return .senMLJSON }
            _ = try scanner.skip()
        } while try scanner.more(until: UInt8(ascii: "}"))
        return .thingsBoardJSON
    }
}
