import Telemetry

/// Feeds the unpacking of gzip bodies with bytes nobody vouches for: the first byte sets the limit, the rest is the body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGzip(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    var limits = InputLimits()
    limits.inflatedBytes = 1 << Int(start[0] & 15)
    limits.inflatedFloor = 1 << Int(start[0] >> 4)
    let body = UnsafeBufferPointer(start: start + 1, count: count - 1)
    guard let content = try? Gzip.unpack(body, limits: limits) else { return 0 }
    precondition(content.count <= limits.inflatedBytes, "more was unpacked than allowed")
    precondition(
        content.count <= max(limits.inflatedFloor, body.count * limits.inflationRatio), "unpacked at too high a ratio")
    return 0
}
