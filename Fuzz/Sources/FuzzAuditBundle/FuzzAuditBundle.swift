import Probes

/// Feeds what reads exported audit bundles with bytes nobody vouches for; `Probe.auditBundle` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAuditBundle(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.auditBundle)
}
