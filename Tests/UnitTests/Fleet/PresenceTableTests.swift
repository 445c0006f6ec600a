import Base
import Testing

@testable import Fleet

@Suite("Presence in memory")
struct PresenceTableTests {
    private static let device = DeviceID(high: 1, low: 1)
    private static let minute = Duration.seconds(60)

    private static func time(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    private static func session(_ seconds: Int64) -> PresenceSession {
        PresenceSession(
            tenant: TenantID(high: 3, low: 3), device: device, connected: time(seconds), transport: "mqtt",
            address: "10.0.0.\(seconds)")
    }

    @Test("a take-over keeps the device online, and only the last end puts it offline")
    func takeOver() {
        var table = PresenceTable()
        let first = Self.session(1)
        let second = Self.session(2)
        let isFirst = [first, second].map { table.connect($0) }
        #expect(isFirst == [true, false])
        let wasLast = [first, first, second].map { table.disconnect($0, at: Self.time(4)) }
        #expect(wasLast == [false, nil, true])
        let rows = table.takeUnwritten(precision: Self.minute)
        #expect(rows.count == 1)
        #expect(rows.first?.isOnline == false)
        #expect(rows.first?.uncounted == 2)
        #expect(rows.first?.disconnected == Self.time(4))
        #expect(rows.first?.address == "10.0.0.2")
    }

    @Test("while a device stays connected it is written again only after a minute")
    func precision() {
        var table = PresenceTable()
        let session = Self.session(1)
        _ = table.connect(session)
        #expect(table.takeUnwritten(precision: Self.minute).count == 1)
        session.seen(at: Self.time(60))
        #expect(table.takeUnwritten(precision: Self.minute).isEmpty)
        session.seen(at: Self.time(61))
        let rows = table.takeUnwritten(precision: Self.minute)
        #expect(rows.map(\.lastSeen) == [Self.time(61)])
        #expect(rows.map(\.uncounted) == [0])
    }

    @Test("an offline device leaves memory once it is written, and not before")
    func leaves() {
        var table = PresenceTable()
        let session = Self.session(1)
        _ = table.connect(session)
        session.seen(at: Self.time(2))
        _ = table.disconnect(session, at: Self.time(3))
        let rows = table.takeUnwritten(precision: Self.minute)
        #expect(rows.map(\.lastSeen) == [Self.time(2)])
        #expect(table.lines.count == 1)
        #expect(table.takeUnwritten(precision: Self.minute).isEmpty)
        #expect(table.lines.isEmpty)
    }

    @Test("what could not be written is in the next batch, with its connections counted once")
    func restore() {
        var table = PresenceTable()
        _ = table.connect(Self.session(1))
        let rows = table.takeUnwritten(precision: Self.minute)
        for row in rows { table.restore(row) }
        _ = table.connect(Self.session(2))
        #expect(table.takeUnwritten(precision: Self.minute).map(\.uncounted) == [2])
        #expect(table.takeUnwritten(precision: Self.minute).isEmpty)
    }
}
