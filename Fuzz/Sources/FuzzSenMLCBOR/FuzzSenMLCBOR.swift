import Probes

/// Feeds the decoder of SenML packs in CBOR with bytes nobody vouches for; `Probe.senMLCBOR` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSenMLCBOR(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.senMLCBOR)
}
