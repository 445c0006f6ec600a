import Probes

/// Feeds the reader of authenticators' CBOR and of the keys in it with bytes nobody vouches for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCBOR(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { Probe.run(start, count, Probe.cbor) }
