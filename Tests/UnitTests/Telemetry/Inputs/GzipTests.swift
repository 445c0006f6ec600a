import Base
import Testing

@testable import Telemetry

@Suite struct GzipTests {
    /// `{"power":27.4,"voltage":244.5}` by gzip 1.12.
    private let body =
        [UInt8](hex: "1f8b0800000000000203ab562ac82f4f2d52b23232d733d1512acbcf29494c4f05724d4cf44c6b01554887b01e000000")
        ?? []

    private func unpack(_ bytes: [UInt8], limits: InputLimits = InputLimits()) -> Result<[UInt8], InputFault> {
        do throws(InputFault) {
            return .success(
                try bytes.withUnsafeBufferPointer { bytes throws(InputFault) in try Gzip.unpack(bytes, limits: limits) }
            )
        } catch { return .failure(error) }
    }

    @Test("a gzip payload is unpacked and its content recognised")
    func unpacks() throws {
        #expect(try TelemetryDecoder.decoded(body) == [.init("power", "27.4"), .init("voltage", "244.5")])
    }

    @Test("several members are one content")
    func members() throws {
        #expect(
            try unpack(body + body).get()
                == Array(#"{"power":27.4,"voltage":244.5}{"power":27.4,"voltage":244.5}"#.utf8))
    }

    @Test("a body cut at any byte is refused, never trusted")
    func truncation() {
        for count in 2..<body.count {
            #expect(unpack(Array(body[..<count])) == .failure(InputFault(.truncated, at: count)), "\(count)")
        }
    }

    @Test("a damaged body is refused")
    func damage() {
        for index in body.indices where index != 9 && !(4...8).contains(index) {
            var damaged = body
            damaged[index] ^= 0x11
            if case .success(let content) = unpack(damaged) {
                #expect(content == Array(#"{"power":27.4,"voltage":244.5}"#.utf8))
            }
        }
        #expect(unpack(body + [0x00]) == .failure(InputFault(.truncated, at: body.count + 1)))
        #expect(unpack(body + [0x41, 0x42]) == .failure(InputFault(.badGzip, at: body.count + 2)))
        #expect(unpack([]) == .failure(InputFault(.empty, at: 0)))
    }

    @Test("content beyond the limits is refused while it is unpacked")
    func bombs() throws {
        // 100,000 zero bytes in 132 bytes.
        let zeros =
            [UInt8](
                hex: """
                    1f8b0800000000000203edc13101000000c2a0f54f6d0d0fa000000000000000000000000000000000000000000000000000\
                    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
                    0000000000000000000000000000000000000000008057037d9511d4a0860100
                    """) ?? []
        var limits = InputLimits()
        #expect(unpack(zeros, limits: limits) == .failure(InputFault(.inflatedTooMuch, at: 0)))
        limits.inflationRatio = 2000
        #expect(try unpack(zeros, limits: limits).get() == Array(repeating: 0, count: 100_000))
        limits.inflatedBytes = 100_000
        #expect(try unpack(zeros, limits: limits).get().count == 100_000)
        limits.inflatedBytes = 99_999
        #expect(unpack(zeros, limits: limits) == .failure(InputFault(.inflatedTooLarge, at: 0)))
        limits.payloadBytes = 100
        #expect(unpack(zeros, limits: limits) == .failure(InputFault(.tooLarge, at: 0)))
    }

    @Test("gzip inside gzip is not unpacked again")
    func nested() {
        let nested =
            [UInt8](
                hex:
                    "1f8b080000000000020393efe660000126e6d5615a27f4fd75833619195d37be18a875fabca6a78f3f6b91afcf179f6cc6508ff60d724095002ae7a7f730000000"
            ) ?? []
        #expect(TelemetryDecoder.fault(nested)?.reason == .unknownFormat)
    }
}
