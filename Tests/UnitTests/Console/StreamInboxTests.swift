import Base
import Testing

@testable import Console
@testable import Telemetry

@Suite("What an event stream gathers between two beats")
struct StreamInboxTests {
    static func device(_ number: Int) -> DeviceID { DeviceID(high: 1, low: UInt64(number)) }

    @Test("a fleet that comes back at once is a bounded number of names, the page's own device among them")
    func crowd() {
        let inbox = StreamInbox(of: Self.device(100_000))
        for number in 1...100_000 { inbox.add(Self.device(number), isOnline: true) }
        let news = inbox.take()
        #expect(news.presence.count == ConsoleLimits.namedDevices + 1 && news.presence[Self.device(100_000)] == true)
        #expect(news.topics == [StreamInbox.devices])
        #expect(inbox.take().presence.isEmpty, "what was taken is there no more")
    }

    @Test("of a device that comes and goes, and of a series, the newest is told")
    func newest() throws {
        let inbox = StreamInbox(of: nil)
        inbox.add(Self.device(1), isOnline: true)
        inbox.add(Self.device(1), isOnline: false)
        for number in 1...1000 {
            inbox.add(
                LiveFeed.Update(
                    series: "power-\(number % 400)", unit: nil,
                    time: try #require(Timestamp(milliseconds: Int64(number))),
                    value: .exact(Int64(number), exponent: 0)))
        }
        let news = inbox.take()
        #expect(news.presence == [Self.device(1): false] && news.topics.isEmpty)
        #expect(
            news.values.count == ConsoleLimits.liveSeries && news.values["power-1"]?.value == .exact(801, exponent: 0))
    }

    @Test("a doubt and an enrolment are told once")
    func flags() {
        let inbox = StreamInbox(of: nil)
        inbox.doubt()
        inbox.noteEnrolment()
        let news = inbox.take()
        #expect(news.isInDoubt && news.isEnrolled)
        let next = inbox.take()
        #expect(!next.isInDoubt && !next.isEnrolled)
    }
}
