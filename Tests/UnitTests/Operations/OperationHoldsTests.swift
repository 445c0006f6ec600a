import Base
import Testing

@testable import Operations

@Suite("What is held, in memory and in the database") struct OperationHoldsTests {
    @Test("what the database said before a pause or a window does not undo it")
    func stale() throws {
        let now = Timestamp(microseconds: 1_800_000_000_000_000)
        let (paused, outside) = (OperationID(now: now), OperationID(now: now))
        // It is eight o'clock.
        let window = try MaintenanceWindow(["from": "22:00", "to": "23:00"])
        let holds = OperationHolds()
        for change in [{ holds.setPaused(true, paused) }, { holds.setWindows([window], of: outside) }] {
            let changes = holds.changes
            change()
            #expect(!holds.replace(windows: [:], paused: [], after: changes))
        }
        #expect(holds.held(at: now) == [paused, outside])
        #expect(holds.replace(windows: [outside: [window]], paused: [], after: holds.changes))
        #expect(holds.held(at: now) == [outside], "what is over is forgotten")
    }
}
