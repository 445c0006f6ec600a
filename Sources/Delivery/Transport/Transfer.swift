import Base
import CCurl
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One libcurl handle, used on one thread from its making to its end.
///
/// Whatever is sent, the same holds: TLS 1.2 or newer with a verified certificate, no redirect, no proxy, no other
/// protocol than the one asked for, and no connection to an address that the policy does not permit.
final class Transfer {
    /// What the callbacks of libcurl use; it lives as long as the handle.
    private final class Context {
        let policy: NetworkPolicy?
        let isStopping: @Sendable () -> Bool
        var upload: ArraySlice<UInt8> = []
        var answered = 0
        /// What is kept of the answer, when somebody wants it, and how much at most.
        var kept: [UInt8]?
        var most = DeliveryLimits.answerBytes
        var isAddressRefused = false
        var hasConnected = false
        /// Whether a mail server was told for whom the mail is: what it says then is about this mail.
        var hasNamedRecipient = false

        init(_ policy: NetworkPolicy?, _ isStopping: @escaping @Sendable () -> Bool) {
            self.policy = policy
            self.isStopping = isStopping
        }

        static func at(_ pointer: UnsafeMutableRawPointer?) -> Context? {
            pointer.map { Unmanaged<Context>.fromOpaque($0).takeUnretainedValue() }
        }
    }

    struct Failure: Error {
        var words: String
    }

    private let handle: UnsafeMutableRawPointer
    private let context: Context
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    /// Once for the process; a write to a closed connection must be an error and not the end of the process.
    private static let isReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    }()

    /// A transfer that opens only connections which `policy` permits; nil permits all.
    init(
        policy: NetworkPolicy?, authorities: String?, isStopping: @escaping @Sendable () -> Bool = { false }
    ) throws {
        guard Self.isReady, let handle = curl_easy_init() else { throw Failure(words: "libcurl could not be set up") }
        self.handle = handle
        context = Context(policy, isStopping)
        let pointer = Unmanaged.passUnretained(context).toOpaque()
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_SSL_VERIFYPEER, 1)
        number(CURLOPT_SSL_VERIFYHOST, 2)
        number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        number(CURLOPT_FOLLOWLOCATION, 0)
        number(CURLOPT_CONNECTTIMEOUT, DeliveryLimits.connectSeconds)
        number(CURLOPT_TIMEOUT, DeliveryLimits.transferSeconds)
        number(CURLOPT_FRESH_CONNECT, 1)
        number(CURLOPT_NOPROGRESS, 0)
        // The environment's proxy would be connected to instead of the address that was checked.
        text(CURLOPT_PROXY, "")
        text(CURLOPT_REDIR_PROTOCOLS_STR, "https")
        if let authorities {
            let bytes = Array(authorities.utf8)
            check(tidegate_curl_set_bytes(handle, CURLOPT_CAINFO_BLOB, bytes, bytes.count))
            check(tidegate_curl_set_text(handle, CURLOPT_CAPATH, nil))
        }
        check(
            tidegate_curl_set_writer(
                handle,
                { bytes, size, count, pointer in
                    guard let context = Context.at(pointer) else { return 0 }
                    context.answered += size * count
                    // Most answers are not read, only waited for; one without end is cut off.
                    guard context.answered <= context.most else { return 0 }
                    if context.kept != nil {
                        context.kept?.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
                    }
                    return size * count
                }, pointer))
        check(
            tidegate_curl_set_reader(
                handle,
                { buffer, size, count, pointer in
                    guard let context = Context.at(pointer), let buffer else { return 0 }
                    let piece = context.upload.prefix(size * count)
                    context.upload = context.upload.dropFirst(piece.count)
                    UnsafeMutableRawPointer(buffer).copyMemory(from: Array(piece), byteCount: piece.count)
                    return piece.count
                }, pointer))
        check(
            tidegate_curl_set_progress(
                handle,
                { pointer, _, _, _, _ in Context.at(pointer).map { $0.isStopping() ? 1 : 0 } ?? 1 }, pointer))
        check(
            tidegate_curl_set_opener(
                handle,
                { pointer, _, address in
                    guard let context = Context.at(pointer), let address else { return -1 }
                    return Transfer.open(address, context)
                }, pointer))
    }

    deinit {
        curl_easy_cleanup(handle)
        for list in lists { curl_slist_free_all(list) }
    }

    private var setUp = CURLE_OK

    private func check(_ code: CURLcode) { if setUp == CURLE_OK { setUp = code } }
    private func number(_ option: CURLoption, _ value: Int) {
        check(tidegate_curl_set_number(handle, option, value))
    }
    private func text(_ option: CURLoption, _ value: String) { check(tidegate_curl_set_text(handle, option, value)) }
    private func list(_ option: CURLoption, _ values: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for value in values {
            guard let longer = curl_slist_append(list, value) else { return check(CURLE_OUT_OF_MEMORY) }
            list = longer
        }
        guard let list else { return }
        lists.append(list)
        check(tidegate_curl_set_list(handle, option, list))
    }

    /// Makes a socket for a connection to an address that the policy permits: libcurl connects it to this very address.
    private static func open(_ address: UnsafeMutablePointer<curl_sockaddr>, _ context: Context) -> Int32 {
        if let policy = context.policy {
            guard let target = networkAddress(address), policy.permits(target) else {
                context.isAddressRefused = true
                return -1
            }
        }
        context.hasConnected = true
        return socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    }

    private static func networkAddress(_ address: UnsafeMutablePointer<curl_sockaddr>) -> NetworkAddress? {
        guard let offset = MemoryLayout<curl_sockaddr>.offset(of: \curl_sockaddr.addr) else { return nil }
        let raw = UnsafeRawPointer(address) + offset
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written: UnsafePointer<CChar>?
        switch address.pointee.family {
        case AF_INET:
            var inner = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            written = inet_ntop(AF_INET, &inner, &text, socklen_t(text.count))
        case AF_INET6:
            var inner = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            written = inet_ntop(AF_INET6, &inner, &text, socklen_t(text.count))
        default: return nil
        }
        guard written != nil else { return nil }
        return NetworkAddress(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    // MARK: - What is sent

    /// Sends an HTTPS request and takes the answer whole, whatever its status.
    func answer(
        method: String, address: String, headers: [String], body: [UInt8], mostBytes: Int
    ) -> Result<(status: Int, body: [UInt8]), Failure> {
        prepare(method: method, address: address, headers: headers, body: body)
        context.kept = []
        context.most = mostBytes
        let code = perform()
        guard code == CURLE_OK else {
            let isLong = code == CURLE_WRITE_ERROR && context.answered > context.most
            return .failure(Failure(words: isLong ? "the answer is too long" : failure(code).words))
        }
        return .success((Int(tidegate_curl_number(handle, CURLINFO_RESPONSE_CODE)), context.kept ?? []))
    }

    private func prepare(method: String, address: String, headers: [String], body: [UInt8]) {
        text(CURLOPT_URL, address)
        text(CURLOPT_PROTOCOLS_STR, "https")
        text(CURLOPT_CUSTOMREQUEST, method)
        // Without these libcurl would ask whether the body is welcome, and name itself.
        list(CURLOPT_HTTPHEADER, headers + ["Expect:", "User-Agent: Tidegate"])
        if method != "GET" {
            number(CURLOPT_POST, 1)
            context.upload = body[...]
            check(tidegate_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        }
    }

    /// Sends an HTTPS request and judges the status.
    func request(method: String, address: String, headers: [String], body: [UInt8]) -> Outcome {
        prepare(method: method, address: address, headers: headers, body: body)
        let code = perform()
        let status = tidegate_curl_number(handle, CURLINFO_RESPONSE_CODE)
        // An answer that was cut off because of its length has told its status.
        guard code == CURLE_OK || (code == CURLE_WRITE_ERROR && status > 0) else { return failure(code) }
        let wait = tidegate_curl_size(handle, CURLINFO_RETRY_AFTER)
        return Outcome(status: Int(status), retryAfter: wait > 0 ? .seconds(min(wait, 3600)) : nil)
    }

    /// Hands a mail to a server and judges its last answer.
    func mail(_ message: [UInt8], to: MailAddress, through server: MailServer) -> Outcome {
        let scheme = server.security == .tls ? "smtps" : "smtp"
        let host = server.host.contains(":") && !server.host.hasPrefix("[") ? "[\(server.host)]" : server.host
        // The path is the name by which this side greets.
        text(CURLOPT_URL, "\(scheme)://\(host):\(server.port)/\(server.from.host)")
        text(CURLOPT_PROTOCOLS_STR, scheme)
        number(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
        if let user = server.user {
            text(CURLOPT_USERNAME, user)
            text(CURLOPT_PASSWORD, server.password ?? "")
        }
        text(CURLOPT_MAIL_FROM, "<\(server.from)>")
        list(CURLOPT_MAIL_RCPT, ["<\(to)>"])
        number(CURLOPT_UPLOAD, 1)
        context.upload = message[...]
        watchCommands()
        let code = perform()
        let answer = tidegate_curl_number(handle, CURLINFO_RESPONSE_CODE)
        if code == CURLE_OK { return .delivered("SMTP \(answer)") }
        switch code {
        case CURLE_LOGIN_DENIED:
            return .failed("the mail server refused user and password", isOutage: true, hasAnswered: true)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_WEIRD_SERVER_REPLY, CURLE_UPLOAD_FAILED, CURLE_QUOTE_ERROR:
            return Outcome(smtp: Int(answer), hasNamedRecipient: context.hasNamedRecipient) ?? failure(code)
        default: return failure(code)
        }
    }

    /// Notes when the recipient is named; nothing of what passes by is kept.
    private func watchCommands() {
        check(
            tidegate_curl_set_watcher(
                handle,
                { _, sort, bytes, count, pointer in
                    if sort == CURLINFO_HEADER_OUT, let bytes, let context = Context.at(pointer) {
                        let line = UnsafeRawBufferPointer(start: bytes, count: count)
                        if line.starts(with: "RCPT TO:".utf8) { context.hasNamedRecipient = true }
                    }
                    return 0
                }, Unmanaged.passUnretained(context).toOpaque()))
    }

    /// Writes lines to a TLS connection, and returns when the other side's system has acknowledged every byte.
    func lines(_ bytes: [UInt8], host: String, port: Int) -> Outcome {
        let host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        text(CURLOPT_URL, "https://\(host):\(port)/")
        text(CURLOPT_PROTOCOLS_STR, "https")
        number(CURLOPT_CONNECT_ONLY, 1)
        number(CURLOPT_SSL_ENABLE_ALPN, 0)
        let code = perform()
        guard code == CURLE_OK else { return failure(code) }
        let socket = tidegate_curl_socket(handle)
        let deadline = ContinuousClock.now + .seconds(DeliveryLimits.transferSeconds)
        var rest = bytes[...]
        while !rest.isEmpty {
            var sent = 0
            let code = rest.withUnsafeBytes { curl_easy_send(handle, $0.baseAddress, $0.count, &sent) }
            rest = rest.dropFirst(sent)
            switch code {
            case CURLE_OK: break
            case CURLE_AGAIN: guard wait(socket, POLLOUT, until: deadline) else { return Self.timedOut }
            default: return failure(code)
            }
        }
        return acknowledged(socket, until: deadline)
    }

    /// Syslog has no answer. What its sender can know is that the receiving system has taken the bytes, and that it
    /// has not closed the connection.
    private func acknowledged(_ socket: curl_socket_t, until deadline: ContinuousClock.Instant) -> Outcome {
        while true {
            var count = 0
            var byte: UInt8 = 0
            let code = curl_easy_recv(handle, &byte, 1, &count)
            if code != CURLE_OK, code != CURLE_AGAIN { return failure(code) }
            if code == CURLE_OK, count == 0 {
                return .failed("the receiver closed the connection", isOutage: true)
            }
            let unacknowledged = tidegate_unacknowledged_bytes(socket)
            if unacknowledged == 0 { return .delivered("sent") }
            if unacknowledged < 0 { return .failed("the connection was lost", isOutage: true) }
            if ContinuousClock.now >= deadline || context.isStopping() { return Self.timedOut }
            usleep(2000)
        }
    }

    private func wait(_ socket: curl_socket_t, _ event: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while ContinuousClock.now < deadline, !context.isStopping() {
            var wanted = pollfd(fd: socket, events: Int16(event), revents: 0)
            if poll(&wanted, 1, 500) > 0 { return true }
        }
        return false
    }

    // MARK: - Failures

    private static let timedOut = Outcome.failed("timed out", isOutage: true)

    private func perform() -> CURLcode { setUp == CURLE_OK ? curl_easy_perform(handle) : setUp }

    private func failure(_ code: CURLcode) -> Outcome {
        if context.isAddressRefused, !context.hasConnected {
            return .failed("the address is private and not allowed", isOutage: true)
        }
        if code == CURLE_ABORTED_BY_CALLBACK {
            return .failed("interrupted by a stop", isOutage: false, retryAfter: .seconds(1))
        }
        let words: String
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: words = "the host name is not known"
        case CURLE_COULDNT_CONNECT: words = "no connection"
        case CURLE_OPERATION_TIMEDOUT: words = "timed out"
        case CURLE_PEER_FAILED_VERIFICATION: words = "the certificate was not accepted"
        case CURLE_SSL_CONNECT_ERROR: words = "the TLS handshake failed"
        case CURLE_SSL_CACERT_BADFILE: words = "the outlet's own certificates are not readable"
        case CURLE_USE_SSL_FAILED: words = "the server offers no TLS"
        case CURLE_GOT_NOTHING: words = "the receiver answered nothing"
        case CURLE_WEIRD_SERVER_REPLY: words = "the receiver's answer could not be understood"
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR: words = "the connection was cut off"
        default: words = "transfer error \(code.rawValue)"
        }
        // A mail server that has heard for whom the mail is has answered before; it may well hang on this mail only.
        return .failed(words, isOutage: true, hasAnswered: context.hasNamedRecipient)
    }
}
