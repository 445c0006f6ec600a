import Probes

/// Feeds the decoder of ThingsBoard's JSON with bytes nobody vouches for; `Probe.thingsBoard` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzThingsBoard(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.thingsBoard)
}
