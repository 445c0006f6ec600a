import Probes

/// Feeds what reads the queries of requests with bytes nobody vouches for; `Probe.query` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzQuery(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { Probe.run(start, count, Probe.query) }
