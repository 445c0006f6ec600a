import Probes

/// Feeds what reads updates, archives and descriptions, with bytes nobody vouches for; `Probe.update` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzUpdate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.update)
}
