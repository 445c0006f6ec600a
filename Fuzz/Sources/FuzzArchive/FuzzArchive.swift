import Probes

/// Feeds what reads backup archives with bytes nobody vouches for; `Probe.archive` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArchive(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { Probe.run(start, count, Probe.archive) }
