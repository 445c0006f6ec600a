import Probes

/// Feeds what the agent reads from outside with bytes nobody vouches for; `Probe.agent` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAgent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.agent)
}
