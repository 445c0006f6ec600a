import Base
import Testing

@Suite("Bells")
struct BellTests {
    @Test("a wait lasts its time, also after one that nobody ended")
    func time() async {
        let bell = Bell()
        let clock = ContinuousClock()
        for _ in 0..<3 {
            let took = await clock.measure { await bell.wait(.milliseconds(50)) }
            #expect(took >= .milliseconds(50), "a wait that ends at once would keep a processor busy")
        }
    }

    @Test("ringing ends the wait, and the next one when nobody waits")
    func rings() async {
        let bell = Bell()
        await bell.wait(.milliseconds(1))
        bell.ring()
        bell.ring()
        let clock = ContinuousClock()
        #expect(await clock.measure { await bell.wait(.seconds(3600)) } < .seconds(1800))
        #expect(await clock.measure { await bell.wait(.milliseconds(20)) } >= .milliseconds(20), "two rings are one")
        let took = await clock.measure {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await bell.wait(nil) }
                group.addTask { bell.ring() }
            }
        }
        #expect(took < .seconds(1800))
    }

    @Test("who is cancelled waits no longer, and takes no ring away")
    func cancelled() async {
        let bell = Bell()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bell.wait(nil) }
            group.cancelAll()
        }
        bell.ring()
        let took = await ContinuousClock().measure { await bell.wait(.seconds(3600)) }
        #expect(took < .seconds(1800))
    }
}
