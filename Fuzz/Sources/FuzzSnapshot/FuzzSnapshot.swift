import Probes

/// Feeds what reads snapshots of a database with bytes nobody vouches for; `Probe.snapshot` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSnapshot(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.snapshot)
}
