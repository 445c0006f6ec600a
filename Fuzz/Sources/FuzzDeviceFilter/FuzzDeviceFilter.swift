import Probes

/// Feeds what reads filters of devices with bytes nobody vouches for; `Probe.deviceFilter` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeviceFilter(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.deviceFilter)
}
