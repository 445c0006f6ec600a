import Probes

/// Feeds the decoder of SenML packs in JSON with bytes nobody vouches for; `Probe.senMLJSON` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSenMLJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.senMLJSON)
}
