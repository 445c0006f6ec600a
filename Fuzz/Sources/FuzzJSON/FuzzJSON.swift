import Probes

/// Feeds what reads JSON bodies with bytes nobody vouches for; `Probe.json` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { Probe.run(start, count, Probe.json) }
