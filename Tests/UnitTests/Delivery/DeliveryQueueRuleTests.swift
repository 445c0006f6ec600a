import Base
import Testing

@testable import Delivery

@Suite("When a delivery is tried, and by whom")
struct DeliveryQueueRuleTests {
    @Test("each wait is four times the one before, half of it chance, up to six hours")
    func backoff() {
        #expect(Backoff.wait(after: 1, chance: 0) == .seconds(5))
        #expect(Backoff.wait(after: 1, chance: 1) == .milliseconds(2500))
        #expect(Backoff.wait(after: 2, chance: 0) == .seconds(20))
        #expect(Backoff.wait(after: 3, chance: 0.5) == .seconds(60))
        #expect(Backoff.wait(after: 7, chance: 0) == .seconds(20_480))
        for attempts in [8, 12, 1000, Int.max] {
            #expect(Backoff.wait(after: attempts, chance: 0) == Backoff.longest)
        }
        #expect(Backoff.wait(after: 0, chance: 7) == .milliseconds(2500))
        let all = (1..<DeliveryLimits.attempts).reduce(Duration.zero) { $0 + Backoff.wait(after: $1, chance: 0.5) }
        #expect(all > .seconds(20 * 3600) && all < .seconds(60 * 3600))
    }

    private let start = Timestamp(microseconds: 1_790_000_000_000_000)

    private static let outage = Outcome.failed("no connection", isOutage: true)

    @Test("five outages in a row pause an outlet; then one attempt decides")
    func breaker() {
        var breaker = Breaker()
        func admits(after seconds: Int64) -> Bool { breaker.admits(at: start + .seconds(seconds)) }
        for _ in 0..<4 {
            breaker.note(Self.outage, at: start)
            #expect(admits(after: 0))
        }
        breaker.note(Self.outage, at: start)
        #expect([admits(after: 0), admits(after: 29)] == [false, false])
        #expect([admits(after: 30), admits(after: 30)] == [true, false], "only one attempt decides")
        breaker.note(Self.outage, at: start + .seconds(30))
        #expect([admits(after: 89), admits(after: 90)] == [false, true])
        breaker.release()
        #expect(admits(after: 90), "an admission that was not used is given again")
        breaker.note(.delivered("HTTP 200"), at: start + .seconds(91))
        #expect(breaker == Breaker())
        #expect(admits(after: 91))
    }

    @Test(
        "an attempt whose end nobody tells, and a clock that was set back, hold an outlet up for no longer than usual")
    func lostAttempt() {
        var breaker = Breaker()
        for _ in 0..<5 { breaker.note(Self.outage, at: start) }
        func admits(after seconds: Int64) -> Bool { breaker.admits(at: start + .seconds(seconds)) }
        #expect([admits(after: 30), admits(after: 74), admits(after: 75)] == [true, false, true])
        #expect(admits(after: -86_400))
    }

    @Test("an outlet that tenants share is judged by each of them, and by all only when nobody answers")
    func sharedBreakers() {
        let outlet = OutletID(high: 0, low: 9)
        func keys(_ tenant: UInt64) -> BreakerKeys {
            BreakerKeys(outlet, of: .platform, for: TenantID(high: 0, low: tenant), isMessage: true)
        }
        var breakers: [Lane: Breaker] = [:]
        for _ in 0..<5 {
            breakers.end(keys(7), .failed("HTTP 429", isOutage: true, hasAnswered: true), at: start)
        }
        #expect([breakers.isPaused(keys(7), at: start), breakers.isPaused(keys(8), at: start)] == [true, false])
        for _ in 0..<5 { breakers.end(keys(8), Self.outage, at: start) }
        #expect([breakers.isPaused(keys(8), at: start), breakers.isPaused(keys(9), at: start)] == [true, true])
        let later = start + .seconds(60)
        let admitted = ([7, 8, 9] as [UInt64]).map { breakers.admits(keys($0), at: later) }
        #expect(admitted == [true, false, false], "one decides")
        breakers.end(keys(7), nil, at: later)
        let eighth = breakers.admits(keys(8), at: later)
        #expect(eighth, "what was admitted and not used is free for another")
        breakers.end(keys(8), .delivered("HTTP 200"), at: later)
        #expect(breakers.keys.map { $0 } == [keys(7).own])
    }

    @Test(
        "an HTTP status is about the outlet, or about the message",
        arguments: [
            (204, .delivered("HTTP 204")), (410, .refused("HTTP 410: the receiver wants no more")),
            (429, .failed("HTTP 429", isOutage: true, hasAnswered: true)),
            (500, .failed("HTTP 500", isOutage: true, hasAnswered: true)),
            (422, .refused("HTTP 422: the receiver refused this message", mayChange: true)),
            (400, .refused("HTTP 400: the receiver refused this message", mayChange: true)),
        ] as [(Int, Outcome)])
    func statuses(status: Int, outcome: Outcome) { #expect(Outcome(status: status) == outcome) }

    @Test("a mail server's refusal is about the mail once the recipient is named, and before about the outlet")
    func mailAnswers() {
        let refused = { (answer: Int) in Outcome.refused("SMTP \(answer): the mail server refused this mail") }
        let outage = { (answer: Int) in Outcome.failed("SMTP \(answer)", isOutage: true, hasAnswered: true) }
        for answer in [501, 504, 521, 550, 554, 571] {
            #expect(Outcome(smtp: answer, hasNamedRecipient: true) == refused(answer))
            #expect(Outcome(smtp: answer, hasNamedRecipient: false) == outage(answer))
        }
        for answer in [421, 530, 535] { #expect(Outcome(smtp: answer, hasNamedRecipient: true) == outage(answer)) }
        #expect(
            Outcome(smtp: 451, hasNamedRecipient: true) == .failed("SMTP 451", isOutage: false, hasAnswered: true))
        #expect(Outcome(smtp: 354, hasNamedRecipient: true) == nil)
    }

    @Test("what the receiver says about one message says nothing against the outlet")
    func breakerAndMessages() {
        var breaker = Breaker()
        for _ in 0..<20 {
            breaker.note(.refused("SMTP 550"), at: start)
            breaker.note(.failed("SMTP 451", isOutage: false), at: start)
        }
        #expect(breaker == Breaker())
    }

    @Test("no pause is longer than ten minutes")
    func longestPause() throws {
        var breaker = Breaker()
        for _ in 0..<200 { breaker.note(.failed("timed out", isOutage: true), at: start) }
        #expect(try #require(breaker.pausedUntil) == start + Breaker.longestPause)
    }

    private func lane(_ tenant: UInt64, _ outlet: UInt64) -> Lane {
        Lane(tenant: TenantID(high: 0, low: tenant), id: OutletID(high: 0, low: outlet))
    }

    @Test("a lane, a tenant, and all that failed together have their bounds; what works always finds room")
    func slots() {
        var slots = Slots()
        func begin(_ lane: Lane, isSuspect: Bool = false) -> Bool { slots.begin(lane, isSuspect: isSuspect) }
        let one = lane(1, 1)
        #expect([begin(one), begin(one), begin(one)] == [true, true, false], "two for one lane")
        for outlet in 2...4 {
            #expect([begin(lane(1, UInt64(outlet))), begin(lane(1, UInt64(outlet)))] == [true, true])
        }
        #expect(!begin(lane(1, 9)), "eight for one tenant")
        let suspects = (2..<200).filter { begin(lane(UInt64($0), 1), isSuspect: true) }
        #expect(suspects.count == DeliveryLimits.suspectTransfers)
        #expect(begin(lane(500, 1)), "whoever's outlet works is not held up")
        for tenant in suspects { slots.end(lane(UInt64(tenant), 1), isSuspect: true) }
        slots.end(one, isSuspect: false)
        #expect(begin(one))
        #expect(slots.used == 9)
    }

    @Test("what hangs takes half of a tenant's share, events never take it whole, and tests by hand a little")
    func share() {
        var slots = Slots()
        func begin(_ outlets: Range<UInt64>, isSuspect: Bool) -> Int {
            outlets.filter { slots.begin(lane(1, $0), isSuspect: isSuspect) }.count
        }
        #expect(begin(10..<30, isSuspect: true) == DeliveryLimits.suspectTransfersPerTenant)
        #expect(begin(30..<50, isSuspect: false) == 2)
        let messages = [Lane.mail(TenantID(high: 0, low: 1)), .sms(TenantID(high: 0, low: 1))]
        let begun = messages.map { slots.begin($0, isSuspect: false) }
        #expect(begun == [true, true])
        var trials = Slots()
        let tried = (1..<20).filter { trials.beginTrial(lane(UInt64($0), 10)) }
        #expect(tried.count == DeliveryLimits.trials)
        for tenant in tried {
            trials.endTrial(lane(UInt64(tenant), 10))
            trials.end(lane(UInt64(tenant), 10), isSuspect: false)
        }
        let again = (10..<20).filter { trials.beginTrial(lane(1, $0)) }
        #expect(again.count == DeliveryLimits.trialsPerTenant)
    }

    @Test("a suspect outlet gets one attempt at a time")
    func suspectLane() {
        var slots = Slots()
        let first = slots.begin(lane(1, 1), isSuspect: true)
        let second = slots.begin(lane(1, 1), isSuspect: true)
        #expect(first && !second)
    }
}
