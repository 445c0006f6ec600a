import Probes

/// Feeds what reads CSV (RFC 4180) as its bytes come in with bytes nobody vouches for; `Probe.csv` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCSV(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { Probe.run(start, count, Probe.csv) }
