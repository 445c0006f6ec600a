import Probes

/// Feeds what reads signatures of updates with bytes nobody vouches for; `Probe.signature` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSignature(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.signature)
}
