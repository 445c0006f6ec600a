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
        /// How often something was said of an operation.
        var changes = 0
    }

    private let state = Mutex(State())

    func setWindows(_ windows: [MaintenanceWindow], of operation: OperationID) {
        state.withLock { state in
            state.windows[operation] = windows.isEmpty ? nil : windows
            state.changes += 1
        }
    }

    func setPaused(_ isPaused: Bool, _ operation: OperationID) {
        state.withLock { state in
            if isPaused { state.paused.insert(operation) } else { state.paused.remove(operation) }
            state.changes += 1
        }
    }

    /// What is held at a moment.
    func held(at now: Timestamp) -> Set<OperationID> {
        state.withLock { state in
            state.paused.union(
                state.windows.filter { entry in !entry.value.contains { $0.contains(now) } }.map(\.key))
        }
    }

    /// How often something was said of an operation.
    var changes: Int { state.withLock(\.changes) }

    /// Takes what the database says of all open operations; false when somebody said something after `changes`, which it
    /// may not know.
    func replace(
        windows: [OperationID: [MaintenanceWindow]], paused: Set<OperationID>, after changes: Int
    ) -> Bool {
        state.withLock { state in
            guard state.changes == changes else { return false }
            (state.windows, state.paused) = (windows, paused)
            return true
        }
    }
}

extension Operations {
    /// Reads anew what is held: at the start, and now and then to forget what is over.
    func loadHolds() async throws {
        for _ in 0..<OperationLimits.rounds {
            let changes = holds.changes
            let read = try await readHolds()
            board.ask(for: read.asking)
            if holds.replace(windows: read.windows, paused: read.paused, after: changes) { break }
            // Memory is right meanwhile: what is over is forgotten another time.
        }
        applyHolds()
    }

    private func readHolds() async throws -> (
        windows: [OperationID: [MaintenanceWindow]], paused: Set<OperationID>, asking: Set<OperationID>
    ) {
        try await database.platform.read { transaction in
            var windows: [OperationID: [MaintenanceWindow]] = [:]
            var (paused, asking): (Set<OperationID>, Set<OperationID>) = ([], [])
            try transaction.acrossTenants.forEach(
                "SELECT id, terms, state FROM operation WHERE state IN ('running', 'paused')"
            ) { row in
                let id = try row.identifier(0, as: OperationID.self)
                let terms = OperationTerms(stored: try JSONValue(parsing: Array(try row.text(1).utf8)))
                if !terms.windows.isEmpty { windows[id] = terms.windows }
                if try row.text(2) == Operation.State.paused.rawValue { paused.insert(id) }
                if terms.confirm { asking.insert(id) }
            }
            return (windows, paused, asking)
        }
    }

    /// Has the board know what is held at this moment, and whoever holds connections what is held no longer.
    func applyHolds() {
        for device in board.hold(holds.held(at: clock.now)) {
            guard let tenant = fleet.directory.tenant(of: device) else { continue }
            bus.publish(TaskPosted(tenant: tenant, device: device))
        }
    }
}
