import Probes

/// Feeds what reads signed notes, checkpoints and keys with bytes nobody vouches for; `Probe.auditNote` says what is promised.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAuditNote(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Probe.run(start, count, Probe.auditNote)
}
