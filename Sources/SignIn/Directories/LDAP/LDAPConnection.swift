import Base
import CLDAP

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One connection to a directory server, used on one thread from its opening to its end.
///
/// TLS with a verified certificate comes before anything is said; referrals are not followed; every wait has an end.
final class LDAPConnection {
    /// Why a directory gave no answer, in words for the log.
    struct Failure: Error {
        let words: String
    }

    /// One entry that was found.
    struct Entry {
        let name: String
        let values: [String: [String]]

        /// The attributes by which servers name an entry for good: RFC 4530, and Active Directory's.
        static let subjects = ["entryUUID", "objectGUID"]

        /// The server's own name for the entry, which never becomes another's.
        var subject: String? { Self.subjects.lazy.compactMap { values[$0]?.first }.first }
    }

    private let handle: OpaquePointer

    /// Once for the process: a write to a closed connection must be an error and not the end of the process.
    private static let isReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return true
    }()

    /// Connects to an address that `permits` allows: the very address that is checked is connected to.
    init(_ address: LDAPAddress, authorities: String?, permits: (NetworkAddress) -> Bool) throws {
        guard Self.isReady else { throw Failure(words: "libldap could not be set up") }
        let socket = try Self.connect(address, permits: permits)
        var opened: OpaquePointer?
        guard tidegate_ldap_init_socket(socket, address.text, &opened) == LDAP_SUCCESS, let handle = opened else {
            close(socket)
            throw Failure(words: "libldap could not be set up")
        }
        self.handle = handle
        var code = tidegate_ldap_set_number(handle, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3)
        func set(_ result: Int32) { if code == LDAP_SUCCESS { code = result } }
        set(tidegate_ldap_set_off(handle, LDAP_OPT_REFERRALS))
        set(tidegate_ldap_set_seconds(handle, LDAP_OPT_NETWORK_TIMEOUT, DirectoryLimits.connectSeconds))
        set(tidegate_ldap_set_seconds(handle, LDAP_OPT_TIMEOUT, DirectoryLimits.answerSeconds))
        set(tidegate_ldap_set_number(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND))
        set(tidegate_ldap_set_number(handle, LDAP_OPT_X_TLS_PROTOCOL_MIN, 0x303))
        var file: AuthorityFile?
        if let authorities {
            let made = try AuthorityFile(authorities)
            set(tidegate_ldap_set_text(handle, LDAP_OPT_X_TLS_CACERTFILE, made.path))
            file = made
        } else {
            set(tidegate_ldap_set_text(handle, LDAP_OPT_X_TLS_CACERTFILE, "/etc/ssl/certs/ca-certificates.crt"))
        }
        withExtendedLifetime(file) {
            set(tidegate_ldap_set_number(handle, LDAP_OPT_X_TLS_NEWCTX, 0))
            set(address.isTLS ? ldap_install_tls(handle) : ldap_start_tls_s(handle, nil, nil))
        }
        guard code == LDAP_SUCCESS else { throw Failure(words: "TLS: \(Self.words(code))") }
    }

    deinit { ldap_unbind_ext_s(handle, nil, nil) }

    /// Whether name and password belong together. Without a password every server says yes, so this says no.
    func bind(_ name: String, password: String) throws -> Bool {
        guard !name.isEmpty, !password.isEmpty else { return false }
        let code = tidegate_ldap_bind(handle, name, password, password.utf8.count)
        switch code {
        case LDAP_SUCCESS: return true
        case LDAP_INVALID_CREDENTIALS, LDAP_INAPPROPRIATE_AUTH, LDAP_UNWILLING_TO_PERFORM, LDAP_NO_SUCH_OBJECT,
            LDAP_INVALID_DN_SYNTAX, LDAP_CONSTRAINT_VIOLATION, LDAP_INSUFFICIENT_ACCESS:
            return false
        default: throw Failure(words: Self.words(code))
        }
    }

    /// Says to be nobody in particular.
    func bindAnonymously() throws {
        let code = tidegate_ldap_bind(handle, "", "", 0)
        guard code == LDAP_SUCCESS else { throw Failure(words: Self.words(code)) }
    }

    /// The entries that a filter finds, `most` at most.
    func search(_ base: String, _ filter: String, attributes: [String], most: Int) throws -> [Entry] {
        var names: [UnsafeMutablePointer<CChar>?] = attributes.map { strdup($0) } + [nil]
        defer { for name in names { free(name) } }
        var found: OpaquePointer?
        let code = tidegate_ldap_search(
            handle, base, filter, &names, Int32(clamping: most), DirectoryLimits.answerSeconds, &found)
        defer { if let found { ldap_msgfree(found) } }
        guard code == LDAP_SUCCESS || code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_NO_SUCH_OBJECT else {
            throw Failure(words: Self.words(code))
        }
        var entries: [Entry] = []
        var next = found.flatMap { ldap_first_entry(handle, $0) }
        while let entry = next, entries.count < most {
            entries.append(read(entry, attributes))
            next = ldap_next_entry(handle, entry)
        }
        return entries
    }

    private func read(_ entry: OpaquePointer, _ attributes: [String]) -> Entry {
        var name = ""
        if let text = ldap_get_dn(handle, entry) {
            name = String(cString: text)
            ldap_memfree(text)
        }
        var values: [String: [String]] = [:]
        for attribute in attributes {
            guard let list = ldap_get_values_len(handle, entry, attribute) else { continue }
            let count = min(Int(ldap_count_values_len(list)), DirectoryLimits.groups)
            for index in 0..<count {
                guard let value = list[index]?.pointee, let start = value.bv_val else { continue }
                let bytes = UnsafeRawBufferPointer(start: start, count: Int(clamping: value.bv_len))
                // Active Directory's identifier is 16 bytes and no text.
                let text = attribute == "objectGUID" ? Array(bytes).hex : String(validating: bytes, as: UTF8.self)
                if let text { values[attribute, default: []].append(text) }
            }
            ldap_value_free_len(list)
        }
        return Entry(name: name, values: values)
    }

    private static func words(_ code: Int32) -> String {
        ldap_err2string(code).map { String(cString: $0) } ?? "\(code)"
    }

    // MARK: - The socket

    private static func connect(_ address: LDAPAddress, permits: (NetworkAddress) -> Bool) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &list) == 0, let first = list else {
            throw Failure(words: "the host name is not known")
        }
        defer { freeaddrinfo(first) }
        var isRefused = false
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let info = next?.pointee {
            next = info.ai_next
            guard let target = networkAddress(info), permits(target) else {
                isRefused = true
                continue
            }
            let socket = socket(info.ai_family, info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), info.ai_protocol)
            guard socket >= 0 else { continue }
            if open(socket, info) { return socket }
            close(socket)
        }
        throw Failure(words: isRefused ? "the address is private and not allowed" : "no connection")
    }

    private static func networkAddress(_ info: addrinfo) -> NetworkAddress? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(
                info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        return NetworkAddress(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Connects within the limit; a socket that blocks would wait for minutes.
    private static func open(_ socket: Int32, _ info: addrinfo) -> Bool {
        let flags = fcntl(socket, F_GETFL)
        guard flags >= 0, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else { return false }
        if Glibc.connect(socket, info.ai_addr, info.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { return false }
            var wanted = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            var error: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard poll(&wanted, 1, Int32(DirectoryLimits.connectSeconds * 1000)) == 1,
                getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0, error == 0
            else { return false }
        }
        // A peer that says nothing ends the wait also where libldap has no limit of its own: in the handshake.
        var limit = timeval(tv_sec: DirectoryLimits.answerSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        return fcntl(socket, F_SETFL, flags) == 0
            && setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size) == 0
            && setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size) == 0
    }
}

/// Certificates in a file for as long as libldap needs to read them, because it takes them in no other way.
private final class AuthorityFile {
    let path: String

    init(_ text: String) throws {
        var template = Array("/tmp/tidegate-ldap-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw LDAPConnection.Failure(words: "no temporary file") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bytes = Array(text.utf8)
        let written = write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count else {
            unlink(path)
            throw LDAPConnection.Failure(words: "no temporary file")
        }
    }

    deinit { unlink(path) }
}
