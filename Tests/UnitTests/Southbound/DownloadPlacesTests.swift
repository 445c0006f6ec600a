import Base
import Synchronization
import Testing

@testable import Southbound

/// Who may download, who waits, and whose turn it is.
@Suite("Places of downloads")
struct DownloadPlacesTests {
    private let acme = TenantID(high: 1, low: 1)
    private let rival = TenantID(high: 1, low: 2)

    private static func device(_ number: UInt64) -> DeviceID { DeviceID(high: 2, low: number) }

    /// Whose turn has come.
    private final class Calls: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func add(_ name: String) -> DownloadPlaces.Call { { self.names.withLock { $0.append(name) } } }
    }

    @Test("one device has no more than its share, and no other one feels it")
    func perDevice() throws {
        let places = DownloadPlaces(100, waiting: 100, perDevice: 2)
        let first = try places.begin(Self.device(1), of: acme)
        let second = try places.begin(Self.device(1), of: acme)
        #expect(throws: DownloadPlaces.Fullness.device) { try places.begin(Self.device(1), of: acme) }
        let other = try places.begin(Self.device(2), of: acme)
        #expect(places.underWay == 3)
        first.end()
        first.end()
        #expect(places.underWay == 2)
        let again = try places.begin(Self.device(1), of: acme)
        #expect(places.underWay == 3)
        withExtendedLifetime((second, other, again)) {}
    }

    @Test("one tenant has half of the places, and half of those who wait")
    func perTenant() throws {
        let places = DownloadPlaces(4, waiting: 4, perDevice: 1)
        var kept: [DownloadPlace] = []
        for number in UInt64(0)..<4 { kept.append(try places.begin(Self.device(number), of: acme)) }
        #expect(places.underWay == 2 && places.waiting == 2)
        #expect(throws: DownloadPlaces.Fullness.all) { try places.begin(Self.device(9), of: acme) }
        for number in UInt64(10)..<14 { kept.append(try places.begin(Self.device(number), of: rival)) }
        #expect(places.underWay == 4 && places.waiting == 4)
        #expect(throws: DownloadPlaces.Fullness.all) { try places.begin(Self.device(20), of: rival) }
        kept.removeAll()
        #expect(places.underWay == 0 && places.waiting == 0, "who is gone leaves nothing behind")
    }

    @Test("who waits has its turn in the order in which it came, as far as its tenant has room")
    func order() throws {
        let (places, calls) = (DownloadPlaces(2, waiting: 100, perDevice: 1), Calls())
        let first = try places.begin(Self.device(1), of: acme)
        let second = try places.begin(Self.device(2), of: acme)
        let third = try places.begin(Self.device(3), of: acme)
        let other = try places.begin(Self.device(4), of: rival)
        let last = try places.begin(Self.device(5), of: rival)
        #expect(first.goOn(givingWay: false, calls.add("first")) != .comesLater)
        #expect(second.goOn(givingWay: false, calls.add("second")) == .comesLater)
        #expect(third.goOn(givingWay: false, calls.add("third")) == .comesLater)
        #expect(other.goOn(givingWay: false, calls.add("other")) != .comesLater, "another tenant's place is its own")
        #expect(last.goOn(givingWay: false, calls.add("last")) == .comesLater)
        first.end()
        #expect(calls.all == ["second"])
        other.end()
        #expect(calls.all == ["second", "last"], "the third is older, but its tenant has its half")
        second.rest()
        #expect(calls.all == ["second", "last", "third"])
        #expect(second.goOn(givingWay: false, calls.add("second again")) == .comesLater)
        third.end()
        #expect(calls.all.last == "second again")
        second.end()
        last.end()
        #expect(places.underWay == 0 && places.waiting == 0)
    }

    @Test("a download that goes on for long lets those have their turn that wait")
    func turns() throws {
        let (places, calls) = (DownloadPlaces(1, waiting: 100, perDevice: 1), Calls())
        let first = try places.begin(Self.device(1), of: acme)
        #expect(first.goOn(givingWay: true, calls.add("first")) != .comesLater, "nobody waits")
        let second = try places.begin(Self.device(2), of: acme)
        #expect(second.goOn(givingWay: false, calls.add("second")) == .comesLater)
        #expect(first.goOn(givingWay: false, calls.add("first")) != .comesLater)
        #expect(first.goOn(givingWay: true, calls.add("first")) == .comesLater)
        #expect(calls.all == ["second"] && places.underWay == 1 && places.waiting == 1)
        second.end()
        #expect(calls.all == ["second", "first"])
        first.end()
    }

    @Test("who goes while it waits is called once, and its turn is the next one's")
    func gone() throws {
        let (places, calls) = (DownloadPlaces(1, waiting: 100, perDevice: 1), Calls())
        let first = try places.begin(Self.device(1), of: acme)
        let second = try places.begin(Self.device(2), of: acme)
        let third = try places.begin(Self.device(3), of: acme)
        #expect(second.goOn(givingWay: false, calls.add("second")) == .comesLater)
        #expect(third.goOn(givingWay: false, calls.add("third")) == .comesLater)
        second.end()
        #expect(calls.all == ["second"] && places.underWay == 1)
        first.end()
        #expect(calls.all == ["second", "third"])
        third.end()
        #expect(places.underWay == 0 && places.waiting == 0)
    }
}
