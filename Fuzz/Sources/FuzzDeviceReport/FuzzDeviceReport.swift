import Probes

/// Feeds what reads devices' events and reported documents with bytes nobody vouches for; `Probe.deviceReport` says what
/// is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeviceReport(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.deviceReport)
}
