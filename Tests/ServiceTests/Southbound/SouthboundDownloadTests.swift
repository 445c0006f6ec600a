import Access
import Base
import Crypto
import Fleet
import Foundation
import NIOCore
import Operations
import Testing

@testable import Southbound

@Suite("Downloads")
struct SouthboundDownloadTests {
    private static let content = (0..<40_000).map { "\($0)," }.joined()

    private static func with(
        _ engine: TestDatabase.Engine = .sqlite, limits: SouthboundLimits = SouthboundFixture.limits,
        _ body: (SouthboundFixture, DDIDevice, _ path: String) async throws -> Void
    ) async throws {
        try await SouthboundFixture.with(engine, limits: limits) { fixture in
            let device = try await DDIDevice(fixture)
            try await device.introduce()
            try await fixture.install(try await fixture.release([("app 1.swu", content)]), on: device)
            try await body(fixture, device, "/softwaremodules/\(try await device.number())/artifacts")
        }
    }

    @Test("an artifact comes as it is, whole and in parts", arguments: TestDatabase.engines)
    func parts(engine: TestDatabase.Engine) async throws {
        try await Self.with(engine) { _, device, path in
            let content = Self.content
            let size = content.utf8.count
            let file = path + "/app%201.swu"
            let whole = try await device.get(file)
            #expect(whole.status == 200 && whole.body == content)
            let tag = Insecure.SHA1.hash(data: Data(content.utf8)).hex
            #expect(whole.headers["etag"] == "\"\(tag)\"")
            #expect(whole.headers["accept-ranges"] == "bytes")
            #expect(whole.headers["content-type"] == "application/octet-stream")
            #expect(whole.headers["x-content-type-options"] == "nosniff")
            let modified = try #require(whole.headers["last-modified"])

            func part(_ range: String, _ headers: [String] = []) async throws -> SouthboundClient.Response {
                try await device.get(file, ["Range: \(range)"] + headers)
            }
            func text(_ range: Range<Int>) -> String {
                String(decoding: Array(content.utf8)[range], as: UTF8.self)
            }
            let first = try await part("bytes=0-9")
            #expect(first.status == 206 && first.body == text(0..<10))
            #expect(first.headers["content-range"] == "bytes 0-9/\(size)")
            #expect(try await part("bytes=100000-").body == text(100_000..<size))
            #expect(try await part("bytes=-5").body == text(size - 5..<size))
            #expect(try await part("bytes=10-", ["If-Range: \"\(tag)\""]).status == 206)
            #expect(try await part("bytes=10-", ["If-Range: \(modified)"]).status == 206)
            #expect(try await part("bytes=10-", ["If-Range: \"other\""]).body == content)
            for range in ["bytes=\(size)-", "bytes=5-1", "bytes=x", "bytes=4-5,0-1"] {
                let refused = try await part(range)
                #expect(refused.status == 416 && refused.headers["content-range"] == "bytes */\(size)")
            }
            let many = try await part("bytes=0-3,70000-70009,-2")
            let boundary = try #require(many.headers["content-type"]?.split(separator: "boundary=").last)
            #expect(many.status == 206)
            let expected = [0..<4, 70_000..<70_010, size - 2..<size].map { range in
                "--\(boundary)\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes "
                    + "\(range.lowerBound)-\(range.upperBound - 1)/\(size)\r\n\r\n\(text(range))\r\n"
            }
            #expect(many.body == expected.joined() + "--\(boundary)--\r\n")

            #expect(try await device.get(file, ["If-None-Match: \"\(tag)\""]).status == 304)
            #expect(try await device.get(file, ["If-Match: \(tag)"]).status == 200)
            #expect(try await device.get(file, ["If-Match: \"other\""]).status == 412)
            let sum = Insecure.MD5.hash(data: Data(content.utf8)).hex
            #expect(try await device.get(file + ".MD5SUM").body == "\(sum)  app 1.swu\n")
            let list = try await device.json(path)
            guard case .array(let files) = list else { return #expect(Bool(false), "\(list)") }
            #expect(files.count == 1 && files[0]["size"]?.integer == Int64(size))
            for missing in ["/other.swu", "/app%201.swu/x", "/..%2Fapp%201.swu", "/app%201.sw"] {
                #expect(try await device.get(path + missing).status == 404)
            }
        }
    }

    @Test("the head alone says what would come, and the connection stays")
    func head() async throws {
        try await Self.with { _, device, path in
            let size = Self.content.utf8.count
            for (headers, length) in [("", size), ("Range: bytes=0-9\r\n", 10)] {
                _ = device.client.takeBytes()
                device.client.send(
                    "HEAD \(device.base)\(path)/app%201.swu HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n")
                let hasCome1 = try await device.client.wait { $0.hasSuffix("\r\n\r\n") }
                #expect(hasCome1)
                #expect(device.client.received.contains("\r\nContent-Length: \(length)\r\n"))
            }
            _ = device.client.takeBytes()
            // Whoever asks for the head of what is not there gets no body either.
            device.client.send("HEAD \(device.base)/configData HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let hasCome2 = try await device.client.wait { $0.hasSuffix("\r\n\r\n") }
            #expect(hasCome2)
            #expect(device.client.received.hasPrefix("HTTP/1.1 405 "))
            _ = device.client.takeBytes()
            #expect(try await device.get("").status == 200)
        }
    }

    @Test("requests that come while a download runs are answered after it")
    func pipelined() async throws {
        try await Self.with { _, device, path in
            let download = "GET \(device.base)\(path)/app%201.swu HTTP/1.1\r\nHost: localhost\r\n\r\n"
            device.client.send(download + "GET \(device.base) HTTP/1.1\r\nHost: localhost\r\n\r\n" + download)
            #expect(try await device.client.response()?.body == Self.content)
            #expect(try await device.client.response()?.body.contains("polling") == true)
            #expect(try await device.client.response()?.body == Self.content)
            device.client.send(
                "GET \(device.base)\(path)/app%201.swu HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(try await device.client.response()?.body == Self.content)
            try await device.client.closed()
        }
    }

    @Test("a device that takes nothing costs a bounded piece of memory, and is cut off in the end")
    func stalled() async throws {
        var limits = SouthboundFixture.limits
        limits.downloadStallTime = .milliseconds(500)
        limits.downloads = 1
        try await SouthboundFixture.with(limits: limits) { fixture in
            let device = try await DDIDevice(fixture)
            let large = String(repeating: "0123456789abcdef", count: 1 << 18)
            try await fixture.install(try await fixture.release([("app.swu", large)]), on: device)
            let path = "\(device.base)/softwaremodules/\(try await device.number())/artifacts/app.swu"
            let slow = try await SouthboundClient.connect(
                port: fixture.device, .init(credential: device.credential, reads: false, window: 4096))
            slow.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Piece by piece, for TLS before the request and then up to the head: whoever reads by itself may have it all.
            try await fixture.eventually("the head has come") {
                slow.channel.read()
                return slow.received.contains("\r\n\r\n")
            }
            try await fixture.eventually("the download is cut off") {
                fixture.counter("tidegate_device_write_timeouts_total") == 1
            }
            #expect(fixture.counter("tidegate_download_bytes_total") < large.utf8.count)
            try await fixture.eventually("its place is free again") { fixture.counter("tidegate_downloads_open") == 0 }
            await slow.close()
            #expect(try await device.get(String(path.dropFirst(device.base.count))).body == large)
        }
    }

    @Test("downloads that wait for a slow plan leave the others their places, and all of them come through")
    func slowPlan() async throws {
        var limits = SouthboundFixture.limits
        (limits.downloads, limits.downloadsPerDevice) = (4, 16)
        try await SouthboundFixture.with(limits: limits, loops: 2) { fixture in
            let device = try await DDIDevice(fixture)
            let content = String(repeating: "0123456789abcdef", count: 1 << 16)
            try await fixture.install(try await fixture.release([("app.swu", content)]), on: device)
            let path = "\(device.base)/softwaremodules/\(try await device.number())/artifacts/app.swu"
            var plan = try #require(fixture.fleet.directory.plan(of: fixture.acme))
            // So slow that they are under way for a minute, and so fast that each waits for seconds only.
            (plan.downloadKilobytesPerSecond, plan.deviceConnections) = (256, 16)
            _ = try await fixture.access.putPlan(plan, by: SouthboundFixture.admin)
            // Each waits for its part of the rate, and there are many more of them than places.
            var slow: [SouthboundClient] = []
            for number in 0..<16 {
                let client = try await SouthboundClient.connect(
                    port: fixture.device, .init(credential: device.credential))
                client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                slow.append(client)
                try await fixture.eventually("download \(number) is under way") {
                    fixture.counter("tidegate_downloads_total") == number + 1
                }
                try await fixture.eventually("its place is given back") {
                    fixture.counter("tidegate_downloads_open") < 4
                }
            }
            #expect(fixture.counter("tidegate_downloads_waiting") > 4)
            plan.downloadKilobytesPerSecond = 1 << 20
            _ = try await fixture.access.putPlan(plan, by: SouthboundFixture.admin)
            for client in slow { #expect(try await client.response()?.body == content) }
            try await fixture.eventually("all places are free again") {
                fixture.counter("tidegate_downloads_open") == 0 && fixture.counter("tidegate_downloads_waiting") == 0
            }
        }
    }

    @Test("more downloads than places wait for their turn, and all of them come through; none is refused")
    func turns() async throws {
        var limits = SouthboundFixture.limits
        (limits.downloads, limits.downloadTurn) = (2, .milliseconds(1))
        try await SouthboundFixture.with(limits: limits, loops: 2) { fixture in
            let content = String(repeating: "0123456789abcdef", count: 1 << 15)
            let release = try await fixture.release([("app.swu", content)])
            var devices: [DDIDevice] = []
            for number in 0..<12 {
                let device = try await DDIDevice(fixture, "meter-\(number)")
                try await fixture.install(release, on: device)
                let path = "\(device.base)/softwaremodules/\(try await device.number())/artifacts/app.swu"
                device.client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                devices.append(device)
            }
            for device in devices {
                let answer = try #require(try await device.client.response())
                #expect(answer.status == 200 && answer.body == content)
            }
            try await fixture.eventually("all places are free again") {
                fixture.counter("tidegate_downloads_open") == 0 && fixture.counter("tidegate_downloads_waiting") == 0
            }
        }
    }

    @Test("a fast download gives way after its turn, and who waits is through long before it")
    func givesWay() async throws {
        var limits = SouthboundFixture.limits
        (limits.downloads, limits.downloadTurn) = (2, .milliseconds(20))
        try await SouthboundFixture.with(limits: limits, loops: 2) { fixture in
            let (long, short) = (try await DDIDevice(fixture), try await DDIDevice(fixture, "meter-2"))
            let large = String(repeating: "0123456789abcdef", count: 1 << 21)
            let small = String(repeating: "0123456789abcdef", count: 1 << 10)
            try await fixture.install(try await fixture.release([("large.swu", large)]), on: long)
            try await fixture.install(try await fixture.release([("small.swu", small)], version: "3.0"), on: short)
            let path = "/softwaremodules/\(try await short.number())/artifacts/small.swu"
            let target = "\(long.base)/softwaremodules/\(try await long.number())/artifacts/large.swu"
            func isLongUnderWay() -> Bool { fixture.counter("tidegate_downloads_open") == 1 }
            var hasOvertaken = false
            // On a busy machine the large one may be through before the small one is asked for: then once more. Without
            // turns the small one would come after it each time.
            for _ in 0..<20 where !hasOvertaken {
                let end = fixture.counter("tidegate_download_bytes_total") + large.utf8.count
                long.client.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try await fixture.eventually("it has the only place of its tenant") {
                    isLongUnderWay() || fixture.counter("tidegate_download_bytes_total") >= end
                }
                #expect(try await short.get(path).body == small)
                hasOvertaken = isLongUnderWay()
                if !hasOvertaken { #expect(try await long.client.response()?.body.utf8.count == large.utf8.count) }
            }
            #expect(hasOvertaken)
            await long.client.close()
        }
    }

    @Test("a device with too many downloads is refused a further one, and no other device is")
    func perDevice() async throws {
        var limits = SouthboundFixture.limits
        limits.downloadsPerDevice = 2
        try await SouthboundFixture.with(limits: limits) { fixture in
            let (device, other) = (try await DDIDevice(fixture), try await DDIDevice(fixture, "meter-2"))
            let release = try await fixture.release([("app.swu", String(repeating: "0123456789abcdef", count: 1 << 18))]
            )
            var plan = try #require(fixture.fleet.directory.plan(of: fixture.acme))
            // So slow that they are under way for longer than this test takes.
            plan.downloadKilobytesPerSecond = 128
            _ = try await fixture.access.putPlan(plan, by: SouthboundFixture.admin)
            try await fixture.install(release, on: device)
            try await fixture.install(release, on: other)
            let path = "/softwaremodules/\(try await device.number())/artifacts/app.swu"
            var slow: [SouthboundClient] = []
            for number in 1...2 {
                let client = try await SouthboundClient.connect(
                    port: fixture.device, .init(credential: device.credential))
                client.send("GET \(device.base)\(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                slow.append(client)
                try await fixture.eventually("download \(number) is under way") {
                    fixture.counter("tidegate_downloads_total") == number
                }
            }
            let refused = try await device.get(path)
            #expect(refused.status == 429 && refused.body.contains("ddi.deviceDownloads"))
            #expect(refused.headers["retry-after"] != nil)
            let its = "\(other.base)/softwaremodules/\(try await other.number())/artifacts/app.swu"
            other.client.send("GET \(its) HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9\r\n\r\n")
            #expect(try await other.client.response()?.status == 206)
            for client in slow { await client.close() }
            try await fixture.eventually("their places are free again") {
                fixture.counter("tidegate_downloads_open") + fixture.counter("tidegate_downloads_waiting") == 0
            }
            #expect(try await device.get(path + ".MD5SUM").status == 200)
        }
    }

    @Test("a revoked device gets no further byte")
    func revoked() async throws {
        try await SouthboundFixture.with { fixture in
            let device = try await DDIDevice(fixture)
            let large = String(repeating: "0123456789abcdef", count: 1 << 18)
            try await fixture.install(try await fixture.release([("app.swu", large)]), on: device)
            // So slow that it is under way for longer than this test takes.
            var plan = try #require(fixture.fleet.directory.plan(of: fixture.acme))
            plan.downloadKilobytesPerSecond = 128
            _ = try await fixture.access.putPlan(plan, by: SouthboundFixture.admin)
            let path = "\(device.base)/softwaremodules/\(try await device.number())/artifacts/app.swu"
            let slow = try await SouthboundClient.connect(
                port: fixture.device, .init(credential: device.credential, window: 4096))
            slow.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let hasCome4 = try await slow.wait { $0.contains("\r\n\r\n") }
            #expect(hasCome4)
            _ = try await fixture.fleet.revoke("meter-1", in: fixture.acme, by: SouthboundFixture.admin)
            try await slow.closed()
            #expect(slow.received.utf8.count < large.utf8.count)
        }
    }
}
