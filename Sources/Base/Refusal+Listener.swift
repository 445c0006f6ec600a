#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension Refusal {
    /// A listener can not open its address; `error` is the system's number, `setting` the key that moves it.
    public static func listener(_ name: String, at address: String, setting: String, error: Int32) -> Refusal {
        let reason =
            switch error {
            case EADDRINUSE: "another program uses it"
            case EACCES: "this process has no right to open it"
            case EADDRNOTAVAIL: "this machine has no such address"
            default: String(cString: strerror(error))
            }
        let advice =
            error == EADDRINUSE
            ? "Stop that program, set \(setting) to another address" : "Set \(setting) to another address"
        return Refusal(
            .unavailable, "listener.notOpened",
            "The \(name) listener can not open \(address): \(reason). \(advice), or move all ports with --port-base.")
    }
}
