package import Base
import Glibc

/// Where the device is, by gpsd on the device itself (JSON, one line for each report); blocks its thread for seconds at
/// most.
package struct PositionReader: Sendable, Hashable {
    /// The address, on the loopback alone.
    package let host: String
    /// Its port.
    package let port: Int

    /// A reader of the gpsd at this address; nil unless it is on the loopback.
    package init?(host: String, port: Int) {
        let isLoopback = ["::1", "localhost"].contains(host) || Self.isLoopback(host)
        guard isLoopback, (1...65_535).contains(port) else { return nil }
        self.host = host == "localhost" ? "127.0.0.1" : host
        self.port = port
    }

    private static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The position as series `host.position.…`; empty where there is no gpsd, or it knows no position.
    package func read() -> [String: JSONValue] {
        guard let socket = connect() else { return [:] }
        defer { close(socket) }
        let wish = Array("?WATCH={\"enable\":true,\"json\":true};\n".utf8)
        guard send(socket, wish, wish.count, Int32(MSG_NOSIGNAL)) == wish.count else { return [:] }
        let deadline = ContinuousClock.now + AgentLimits.positionPatience
        var (line, all): ([UInt8], Int) = ([], 0)
        var piece = [UInt8](repeating: 0, count: 4096)
        while .now < deadline, all < AgentLimits.positionBytes {
            var side = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&side, 1, 200) >= 0 else { return [:] }
            if side.revents == 0 { continue }
            let count = recv(socket, &piece, piece.count, Int32(MSG_DONTWAIT))
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return [:] }
            if count < 0 { continue }
            all += count
            for byte in piece[..<count] {
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    continue
                }
                if let values = Self.values(in: line) { return values }
                line = []
            }
        }
        return [:]
    }

    /// The position in one line, nil when it says none (TPV with a fix, mode 2 or 3).
    static func values(in line: [UInt8]) -> [String: JSONValue]? {
        guard let json = try? JSONValue(parsing: line, limits: JSONLimits(bytes: AgentLimits.positionBytes, depth: 8)),
            json["class"]?.string == "TPV", let mode = json["mode"]?.integer, mode == 2 || mode == 3,
            let latitude = number(json["lat"], -90...90), let longitude = number(json["lon"], -180...180)
        else { return nil }
        var values: [String: JSONValue] = [
            "host.position.latitude": .number(latitude), "host.position.longitude": .number(longitude),
        ]
        let altitude = number(json["altMSL"], -20_000...100_000) ?? number(json["alt"], -20_000...100_000)
        if mode == 3, let altitude { values["host.position.altitude"] = .number(altitude) }
        if let speed = number(json["speed"], 0...20_000) { values["host.position.speed"] = .number(speed) }
        return values
    }

    private static func number(_ value: JSONValue?, _ range: ClosedRange<Double>) -> Double? {
        switch value {
        case .integer(let number): range.contains(Double(number)) ? Double(number) : nil
        case .number(let number): range.contains(number) ? number : nil
        default: nil
        }
    }

    /// A connection, unless it takes longer than a loopback may.
    private func connect() -> CInt? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let address = found else { return nil }
        defer { freeaddrinfo(found) }
        let kind = address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
        let file = socket(address.pointee.ai_family, kind, 0)
        guard file >= 0 else { return nil }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard Glibc.connect(file, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            close(file)
            return nil
        }
        return file
    }
}
