import Probes

/// Feeds what reads update clients' requests with bytes nobody vouches for; `Probe.ddi` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDDI(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.ddi)
}
