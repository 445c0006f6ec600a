import Base

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension Refusal {
    /// The archive at `path` is not what was written.
    static func damagedArchive(_ path: String, _ what: String) -> Refusal {
        Refusal(
            .invalid, "backup.damaged",
            "The archive \(path) \(what). Nothing was restored; take another copy of it, or an older backup.")
    }

    /// The key bundle at `path` is not what was written.
    static func damagedBundle(_ path: String, _ what: String) -> Refusal {
        Refusal(
            .invalid, "backup.keysDamaged",
            "The key bundle \(path) \(what). Take another copy of it, or an older backup with its own bundle.")
    }

    /// A file can not be used; call it before anything else changes `errno`.
    static func file(_ verb: String, _ path: String) -> Refusal {
        let reason = String(cString: strerror(errno))
        return Refusal(.unavailable, "backup.file", "Can not \(verb) \(path): \(reason).")
    }
}
