import Base
import Testing

@testable import Fleet

@Suite struct HeartbeatShardTests {
    private static let tenant = TenantID(high: 1, low: 1)
    private static let zero = Timestamp(microseconds: 1_800_000_000_000_000)
    private static let away = HeartbeatShard.Contact(isHeld: false, heard: nil)

    /// A shard and the second up to which it was turned.
    private struct World {
        var shard = HeartbeatShard(at: 0)
        var now: UInt32 = 0
        var wall: Timestamp { HeartbeatShardTests.zero + .seconds(Int64(now)) }

        func device(_ number: UInt64) -> DeviceID { DeviceID(high: 2, low: number << 8) }

        mutating func put(_ number: UInt64, _ policy: HeartbeatPolicy, state: HeartbeatState = .calling) {
            shard.put(
                device(number), of: HeartbeatShardTests.tenant, under: policy, zone: nil, state: state, at: now, wall)
        }

        mutating func call(_ number: UInt64) { shard.called(device(number), at: now, wall) }

        mutating func turn(
            until end: UInt32, _ contact: HeartbeatShard.Contact = HeartbeatShardTests.away, isServed: Bool = true
        ) {
            while now < end {
                now += 1
                for device in shard.due(at: now) {
                    shard.look(at: device, contact, isServed: isServed, at: now, wall)
                }
            }
        }

        func state(_ number: UInt64) -> HeartbeatState? { shard.state(of: device(number)) }
    }

    private static let policy = HeartbeatPolicy(intervalSeconds: 100, jitterPercent: 10, lateAfter: 2, silentAfter: 4)

    @Test("a device that misses two calls is late, after four silent, and calling again once it calls")
    func course() {
        var world = World()
        world.put(1, Self.policy)
        // Two pauses of at most 110 seconds, and the grace.
        world.turn(until: 221)
        #expect(world.state(1) == .calling)
        world.turn(until: 222)
        #expect(world.state(1) == .late)
        #expect(world.shard.late == 1)
        world.turn(until: 441)
        #expect(world.state(1) == .late)
        world.turn(until: 442)
        #expect(world.state(1) == .silent)
        #expect((world.shard.late, world.shard.silent) == (0, 1))
        world.turn(until: 5000)
        world.call(1)
        #expect(world.state(1) == .calling)
        let change = world.shard.takeChanges()[world.device(1)]
        #expect(change?.state == .calling)
        #expect(change?.timesLate == 1)
        #expect(change?.timesSilent == 1)
        #expect(change?.cameBack == true)
        world.turn(until: 5221)
        #expect(world.state(1) == .calling)
        world.turn(until: 5222)
        #expect(world.state(1) == .late)
    }

    @Test("a device that calls is never late, whatever else happens, and nothing is to be written")
    func punctual() {
        var world = World()
        world.put(1, Self.policy)
        for _ in 0..<200 {
            world.turn(until: world.now + .random(in: 90...110))
            world.call(1)
        }
        #expect(world.state(1) == .calling)
        #expect(world.shard.changes.isEmpty)
    }

    @Test("a connection that is held counts as calling, and a device heard on an old connection is back")
    func contacts() {
        var world = World()
        world.put(1, Self.policy)
        world.turn(until: 10_000, .init(isHeld: true, heard: 9999))
        #expect(world.state(1) == .calling)
        world.turn(until: 20_000)
        #expect(world.state(1) == .silent)
        world.turn(until: 20_200, .init(isHeld: false, heard: 5))
        #expect(world.state(1) == .calling)
    }

    @Test("what a device was told before its policy changed still counts")
    func changed() {
        var world = World()
        world.put(1, HeartbeatPolicy(intervalSeconds: 1000, jitterPercent: 0))
        world.put(1, HeartbeatPolicy(intervalSeconds: 10, jitterPercent: 0))
        world.shard.forgive(at: world.now, world.wall)
        world.turn(until: 1011)
        #expect(world.state(1) == .calling)
        world.turn(until: 1012)
        #expect(world.state(1) == .late)
        world.put(1, HeartbeatPolicy(isExempt: true))
        #expect(world.state(1) == nil)
        #expect(world.shard.late == 0)
        #expect(world.shard.changes[world.device(1)]?.state == .calling)
        #expect(world.shard.changes[world.device(1)]?.cameBack == false)
        world.turn(until: 5000)
        world.put(1, HeartbeatPolicy(intervalSeconds: 10, jitterPercent: 0))
        #expect(world.state(1) == .calling)
        world.turn(until: 5021)
        #expect(world.state(1) == .calling)
        world.turn(until: 5022)
        #expect(world.state(1) == .late)
    }

    @Test("a quicker policy is kept as soon as the device has called under it")
    func quicker() {
        var world = World()
        world.put(1, HeartbeatPolicy(intervalSeconds: 80_000))
        world.put(1, HeartbeatPolicy(intervalSeconds: 10, jitterPercent: 0))
        world.call(1)
        world.turn(until: 22)
        #expect(world.state(1) == .late)
    }

    @Test("who was silent when the server stopped is silent until heard; the others get a whole new time")
    func restarted() {
        var world = World()
        world.put(1, Self.policy, state: .silent)
        world.put(2, Self.policy)
        #expect(world.state(1) == .silent)
        world.turn(until: 221)
        #expect(world.state(1) == .silent)
        #expect(world.state(2) == .calling)
        #expect(world.shard.changes.isEmpty)
        world.call(1)
        #expect(world.state(1) == .calling)
        world.shard.forgive(at: world.now, world.wall)
        world.turn(until: 221 + 221)
        #expect(world.state(2) == .calling)
    }

    @Test("while a tenant is not served nobody of it becomes late")
    func unserved() {
        var world = World()
        world.put(1, Self.policy)
        world.turn(until: 5000, isServed: false)
        #expect(world.state(1) == .calling)
    }

    @Test("a device that is taken out leaves nothing, and what could not be written is kept")
    func removed() {
        var world = World()
        for number: UInt64 in 1...3 { world.put(number, Self.policy) }
        world.turn(until: 300)
        #expect(world.shard.late == 3)
        let taken = world.shard.takeChanges()
        world.shard.remove(world.device(1), isGone: true, at: world.wall)
        world.shard.remove(world.device(2), isGone: false, at: world.wall)
        #expect(world.shard.late == 1)
        #expect(world.shard.changes[world.device(1)] == nil)
        #expect(world.shard.changes[world.device(2)]?.state == .calling)
        for (device, change) in taken { world.shard.restore(device, change) }
        #expect(world.shard.changes[world.device(2)]?.state == .calling)
        #expect(world.shard.changes[world.device(2)]?.timesLate == 1)
        #expect(world.shard.changes[world.device(3)]?.state == .late)
        world.shard.remove(Self.tenant, at: world.wall)
        #expect(world.shard.count == 0)
        #expect(world.shard.changes.isEmpty)
        #expect((world.shard.late, world.shard.silent) == (0, 0))
    }

    @Test("many devices that come, call and go are each late at the right second, as a slow table has it")
    func oracle() {
        var world = World()
        var deadlines: [UInt64: UInt32] = [:]
        var generator = SplitGenerator(state: 42)
        while world.now < 6000 {
            for _ in 0..<6 {
                let number = UInt64.random(in: 0..<300, using: &generator)
                switch Int.random(in: 0..<10, using: &generator) {
                case 0:
                    world.shard.remove(world.device(number), isGone: true, at: world.wall)
                    deadlines[number] = nil
                case 1...3 where deadlines[number] == nil:
                    world.put(number, Self.policy)
                    deadlines[number] = world.now + 222
                default:
                    world.call(number)
                    if deadlines[number] != nil { deadlines[number] = world.now + 222 }
                }
            }
            world.turn(until: world.now + 1)
            for (number, deadline) in deadlines where world.now == deadline || world.now + 1 == deadline {
                #expect((world.state(number) == .calling) == (world.now < deadline))
            }
        }
        #expect(world.shard.count == deadlines.count)
        for (number, deadline) in deadlines { #expect((world.state(number) == .calling) == (world.now < deadline)) }
    }

    private struct SplitGenerator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return bits ^ (bits >> 31)
        }
    }
}
