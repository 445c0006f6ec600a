import Base
import Bus
import Fleet
import Storage
import Synchronization

/// Operations of which nothing may be given out now: somebody has paused them, or none of their windows is open. Few,
/// while their tasks may be many, so they are kept in memory and asked each second.
final class OperationHolds: Sendable {
    private struct State {
        var windows: [OperationID: [MaintenanceWindow]] = [:]
        var paused: Set<OperationID> = []
    }

    private let state = Mutex(State())

    func setWindows(_ windows: [MaintenanceWindow], of operation: OperationID) {
        state.withLock { $0.windows[operation] = windows.isEmpty ? nil : windows }
    }

    func setPaused(_ isPaused: Bool, _ operation: OperationID) {
        state.withLock { state in
            if isPaused { state.paused.insert(operation) } else { state.paused.remove(operation) }
        }
    }

    /// What is held at a moment.
    func held(at now: Timestamp) -> Set<OperationID> {
        state.withLock { state in
            state.paused.union(
                state.windows.filter { entry in !entry.value.contains { $0.contains(now) } }.map(\.key))
        }
    }

    /// Forgets the operations that are over.
    func retain(_ open: Set<OperationID>) {
        state.withLock { state in
            state.paused.formIntersection(open)
            state.windows = state.windows.filter { open.contains($0.key) }
        }
    }
}

extension Operations {
    /// Reads anew what is held: at the start, and now and then to forget what is over.
    func loadHolds() async throws {
        let (open, asking) = try await database.platform.read { [holds] transaction in
            var (open, asking): (Set<OperationID>, Set<OperationID>) = ([], [])
            try transaction.acrossTenants.forEach(
                "SELECT id, terms, state FROM operation WHERE state IN ('running', 'paused')"
            ) { row in
                let id = try row.identifier(0, as: OperationID.self)
                let terms = OperationTerms(stored: try JSONValue(parsing: Array(try row.text(1).utf8)))
                holds.setWindows(terms.windows, of: id)
                holds.setPaused(try row.text(2) == Operation.State.paused.rawValue, id)
                open.insert(id)
                if terms.confirm { asking.insert(id) }
            }
            return (open, asking)
        }
        holds.retain(open)
        board.ask(for: asking)
        applyHolds()
    }

    /// Has the board know what is held at this moment, and whoever holds connections what is held no longer.
    func applyHolds() {
        for device in board.hold(holds.held(at: clock.now)) {
            guard let tenant = fleet.directory.tenant(of: device) else { continue }
            bus.publish(TaskPosted(tenant: tenant, device: device))
        }
    }
}
