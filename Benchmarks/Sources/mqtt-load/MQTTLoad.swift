import Agent
import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Loads an MQTT server over TLS with client certificates and reports what a client sees.
@main
struct MQTTLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt-load",
        abstract:
            "Loads an MQTT server (Tidegate or a peer) over TLS with client certificates, bounded in count and time.")

    enum Mode: String, ExpressibleByArgument {
        case open, closed, idle, handshakes, enrol
    }

    @Option(
        help: """
            open (fixed rate), closed (as fast as acknowledged), idle (hold connections), handshakes (connect and leave), \
            enrol (make the certificates)
            """)
    var mode: Mode = .open
    @Option var host = "localhost"
    @Option var port: Int
    @Option(help: "server CA (PEM)") var ca: String
    @Option(help: "directory with client-0.pem, client-0.key, …") var certificates: String
    @Option(help: "connections") var connections = 1000
    @Option(help: "messages in flight on each connection") var window = 1
    @Option(help: "messages a second over all connections, for open") var rate = 30_000
    @Option(help: "seconds measured") var seconds = 10
    @Option(help: "seconds before measuring") var warmup = 3
    @Option(help: "topic") var topic = "telemetry"
    @Option(help: "file with one payload a line") var payloads: String?
    @Option(help: "records in each message") var batch = 1
    @Option(help: "for enrol: the tenant") var tenant = "bench"
    @Option(help: "for enrol: a file of lines `name token`") var tokens: String?
    @Option(help: "process whose CPU time is read while measuring") var pid: Int?

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let roots = try NIOSSLCertificate.fromPEMFile(ca)
        if mode == .enrol { return try await enrol(roots, group: group) }
        let count = try FileManager.default.contentsOfDirectory(atPath: certificates).filter { $0.hasSuffix(".key") }
            .count
        let contexts = try (0..<min(count, connections)).map { index in
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.minimumTLSVersion = .tlsv13
            tls.trustRoots = .certificates(roots)
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(certificates)/client-\(index).pem").prefix(1)
                .map { .certificate($0) }
            tls.privateKey = .privateKey(
                try NIOSSLPrivateKey(file: "\(certificates)/client-\(index).key", format: .pem))
            return try NIOSSLContext(configuration: tls)
        }
        let lines = try payloads.map {
            try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n").map { Array($0.utf8) }
        }
        let readings = lines ?? [Array(#"{"v":230.1,"i":1.25,"p":287.6,"f":50.0,"pf":0.99}"#.utf8)]
        let messages =
            batch == 1
            ? readings.map { Payload(reading: $0) }
            : stride(from: 0, to: readings.count - batch, by: batch).map {
                Payload(batch: Array(readings[$0..<$0 + batch]))
            }
        if mode == .handshakes { return try await handshakes(contexts, group: group) }
        let latencies = Latencies()
        let began = ContinuousClock.now
        var bound: [NIOLoopBound<LoadConnection>] = []
        // Sixteen at a time: a stampede would measure the listen queue, not the server.
        for start in stride(from: 0, to: connections, by: 16) {
            try await withThrowingTaskGroup(of: NIOLoopBound<LoadConnection>.self) { tasks in
                for index in start..<min(start + 16, connections) {
                    tasks.addTask {
                        try await connect(contexts[index % contexts.count], index, messages, loop, latencies)
                    }
                }
                for try await connection in tasks { bound.append(connection) }
            }
        }
        let all = bound
        print("connected \(connections) in \(ContinuousClock.now - began)")
        if mode == .idle {
            try FileHandle.standardOutput.write(contentsOf: Data("READY\n".utf8))
            _ = readLine()
            return
        }
        try await load(all, loop, latencies)
    }

    private func connect(
        _ tls: NIOSSLContext, _ index: Int, _ messages: [Payload], _ loop: any EventLoop,
        _ latencies: Latencies
    ) async throws -> NIOLoopBound<LoadConnection> {
        let (topic, window, host) = (topic, window, host)
        // An hour ago: a batch's times run ahead of the clock when many are sent.
        let recordTime = Int64(Date().timeIntervalSince1970 * 1000) - 3_600_000
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(20))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = LoadConnection(
                        eventLoop: channel.eventLoop, topic: topic, payloads: messages, first: index, window: window,
                        recordTime: recordTime, latencies: latencies)
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLClientHandler(context: tls, serverHostname: host), handler,
                    ])
                }
            }
            .connect(host: host, port: port).get()
        let bound = try await loop.submit {
            NIOLoopBound(try channel.pipeline.syncOperations.handler(type: LoadConnection.self), eventLoop: loop)
        }.get()
        try await loop.flatSubmit { bound.value.isReady.futureResult }.get()
        return bound
    }

    private func load(
        _ all: [NIOLoopBound<LoadConnection>], _ loop: any EventLoop, _ latencies: Latencies
    ) async throws {
        let (mode, rate, warmup, seconds) = (mode, rate, warmup, seconds)
        let start = Int64(NIODeadline.now().uptimeNanoseconds)
        let pacer = NIOLoopBoundBox<(sent: Int, stop: Bool)>.makeBoxSendingValue((0, false), eventLoop: loop)
        if mode == .closed {
            try await loop.submit {
                for connection in all {
                    connection.value.isClosedLoop = true
                    connection.value.fill(now: Int64(NIODeadline.now().uptimeNanoseconds))
                }
            }.get()
        } else {
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: .microseconds(500)) { task in
                if pacer.value.stop { return task.cancel() }
                let now = Int64(NIODeadline.now().uptimeNanoseconds)
                let due = Int(Double(now - start) * Double(rate) / 1e9)
                while pacer.value.sent < due {
                    let intended = start + Int64(Double(pacer.value.sent) * 1e9 / Double(rate))
                    all[pacer.value.sent % all.count].value.send(intended: intended)
                    pacer.value.sent += 1
                }
            }
        }
        try await Task.sleep(for: .seconds(warmup))
        let before = pid.map(Self.cpu) ?? 0
        let ownBefore = Self.cpu(Int(getpid()))
        let began = ContinuousClock.now
        try await loop.submit { latencies.isMeasuring = true }.get()
        try await Task.sleep(for: .seconds(seconds))
        try await loop.submit {
            latencies.isMeasuring = false
            pacer.value.stop = true
        }.get()
        let elapsed = ContinuousClock.now - began
        let cpu = (pid.map(Self.cpu) ?? 0) - before
        let own = Self.cpu(Int(getpid())) - ownBefore
        let duration = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let perSecond = Double(latencies.count) / duration
        print(
            String(
                format:
                    "%.0f messages/s, %.0f records/s, server %.2f µs a message (%.0f %% of a core), ack p50 %.2f ms, p99 %.2f ms, generator %.0f %% busy",
                perSecond, perSecond * Double(batch), cpu * 1e6 / Double(max(latencies.count, 1)), cpu / duration * 100,
                latencies.percentile(0.5), latencies.percentile(0.99),
                own / duration * 100))
    }

    /// Enrols the devices of the tokens file by EST and keeps their certificates and keys.
    private func enrol(_ roots: [NIOSSLCertificate], group: any EventLoopGroup) async throws {
        let lines = try String(contentsOfFile: tokens ?? "", encoding: .utf8).split(separator: "\n")
        let server = ServerAddress(host: host, devicePort: port, mqttPort: 0, roots: roots)
        for start in stride(from: 0, to: lines.count, by: 8) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in start..<min(start + 8, lines.count) {
                    let fields = lines[index].split(separator: " ").map(String.init)
                    let (folder, tenant) = (certificates, tenant)
                    tasks.addTask {
                        let key = DeviceKey()
                        let der = try await ESTClient(server: server, group: group)
                            .enrol(tenant: tenant, device: fields[0], token: fields[1], key: key)
                        let body = Data(der).base64EncodedString(options: [
                            .lineLength64Characters, .endLineWithLineFeed,
                        ])
                        let pem = "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n"
                        try pem.write(toFile: "\(folder)/client-\(index).pem", atomically: false, encoding: .utf8)
                        try key.pem.write(toFile: "\(folder)/client-\(index).key", atomically: false, encoding: .utf8)
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }

    private func handshakes(_ contexts: [NIOSSLContext], group: any EventLoopGroup) async throws {
        let connections = min(connections, 64)
        let end = ContinuousClock.now + .seconds(seconds)
        let before = pid.map(Self.cpu) ?? 0
        let began = ContinuousClock.now
        let done = try await withThrowingTaskGroup(of: Int.self) { tasks in
            for worker in 0..<connections {
                tasks.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        let connection = try await connect(
                            contexts[(worker + count * connections) % contexts.count], 0, [Payload(reading: [0x7B])],
                            group.next(), Latencies())
                        count += 1
                        try await group.next().flatSubmit { connection.value.close() }.get()
                    }
                    return count
                }
            }
            return try await tasks.reduce(0, +)
        }
        let elapsed = ContinuousClock.now - began
        let duration = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let cpu = (pid.map(Self.cpu) ?? 0) - before
        print(
            String(
                format: "%.0f handshakes/s, server %.0f µs each, %.0f a second of processor time",
                Double(done) / duration,
                cpu * 1e6 / Double(max(done, 1)), cpu > 0 ? Double(done) / cpu : 0))
    }

    /// Processor seconds of a process so far, user and system.
    static func cpu(_ pid: Int) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
