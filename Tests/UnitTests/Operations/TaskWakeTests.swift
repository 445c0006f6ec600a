import Testing

@testable import Operations

@Suite("Waking the clock of the tasks")
struct TaskWakeTests {
    @Test("a rest lasts its time, also after one that nobody ended")
    func time() async {
        let wake = TaskWake()
        let clock = ContinuousClock()
        for _ in 0..<3 {
            let took = await clock.measure { await wake.wait(atMost: .milliseconds(50)) }
            #expect(took >= .milliseconds(50), "a rest that ends at once would keep a processor busy")
        }
    }

    @Test("a signal ends the rest, and the next one when nobody rests")
    func signal() async {
        let wake = TaskWake()
        await wake.wait(atMost: .milliseconds(1))
        wake.signal()
        let clock = ContinuousClock()
        #expect(await clock.measure { await wake.wait(atMost: .seconds(60)) } < .seconds(30))
        let took = await clock.measure {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await wake.wait(atMost: .seconds(60)) }
                group.addTask { wake.signal() }
            }
        }
        #expect(took < .seconds(30))
    }
}
