import Probes

/// Feeds what reads lists of devices to register with bytes nobody vouches for; `Probe.registration` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRegistration(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.registration)
}
