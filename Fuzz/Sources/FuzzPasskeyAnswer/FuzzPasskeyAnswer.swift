import Probes

/// Feeds what reads browsers' passkey ceremonies with bytes nobody vouches for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPasskeyAnswer(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.passkeyAnswer)
}
