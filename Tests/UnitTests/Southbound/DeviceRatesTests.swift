import Access
import Base
import Testing

@testable import Southbound

@Suite("Rates of devices over HTTPS")
struct DeviceRatesTests {
    private static let second: UInt64 = 1_000_000_000

    private static func plan(_ messages: Int) throws -> Plan {
        var plan = Plan(id: Plan.standardID, name: try #require(Name("plan")))
        plan.deviceMessagesPerSecond = messages
        return plan
    }

    @Test("a device over its rate waits, and no other does")
    func waits() throws {
        let rates = DeviceRates()
        let (one, other) = (DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2))
        let plan = try Self.plan(10)
        for _ in 0..<20 { #expect(rates.take(one, bytes: 1, plan: plan, at: Self.second) == nil) }
        #expect(rates.take(one, bytes: 1, plan: plan, at: Self.second) == .milliseconds(100))
        #expect(rates.take(other, bytes: 1, plan: plan, at: Self.second) == nil)
        let generous = try Self.plan(20)
        #expect(rates.take(one, bytes: 1, plan: generous, at: Self.second) == nil, "a new plan counts at once")
    }

    @Test("a body that has come is paid for, and the next request waits until it is")
    func pays() throws {
        let rates = DeviceRates()
        let (one, other) = (DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2))
        var plan = try Self.plan(100)
        plan.deviceBytesPerSecond = 1000
        rates.pay(one, bytes: 2000, plan: plan, at: Self.second)
        #expect(rates.take(one, bytes: 0, plan: plan, at: Self.second) == nil)
        rates.pay(one, bytes: 500, plan: plan, at: Self.second)
        #expect(rates.take(one, bytes: 0, plan: plan, at: Self.second) == .milliseconds(500))
        #expect(rates.take(other, bytes: 0, plan: plan, at: Self.second) == nil)
        #expect(rates.take(one, bytes: 0, plan: plan, at: Self.second + Self.second / 2) == nil)
    }

    @Test("quiet devices are forgotten, busy ones are not")
    func forgets() throws {
        let rates = DeviceRates()
        let busy = DeviceID(high: 1, low: 1)
        let plan = try Self.plan(1)
        for number in 2..<UInt64(Limits.rememberedRates) {
            _ = rates.take(DeviceID(high: 1, low: number), bytes: 1, plan: plan, at: Self.second)
        }
        let later = Self.second * 100
        for _ in 0..<2 { _ = rates.take(busy, bytes: 1, plan: plan, at: later) }
        for number in 0..<10 { _ = rates.take(DeviceID(high: 2, low: UInt64(number)), bytes: 1, plan: plan, at: later) }
        #expect(rates.count < 20)
        #expect(rates.take(busy, bytes: 1, plan: plan, at: later) != nil)
    }
}
