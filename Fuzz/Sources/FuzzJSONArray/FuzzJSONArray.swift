import Probes

/// Feeds what reads the cutting of an array of devices with bytes nobody vouches for; `Probe.jsonArray` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSONArray(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.jsonArray)
}
