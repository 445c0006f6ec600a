import Probes

/// Feeds what reads the cursors of lists with bytes nobody vouches for; `Probe.cursor` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCursor(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { Probe.run(start, count, Probe.cursor) }
