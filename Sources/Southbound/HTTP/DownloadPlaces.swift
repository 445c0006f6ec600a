import Base
import Fleet
import NIOCore
import Synchronization

/// The places of downloads: how many may be under way at once, in all and of one tenant, how many one device may have,
/// and who goes on when a place is free.
///
/// Who finds no place waits with its connection and is called when its turn comes: the oldest first of those whose tenant
/// has room. Who waits for its tenant's rate needs none meanwhile. Half of the places and half of the waiting are the most
/// that one tenant gets, so that no tenant's devices keep out another's.
final class DownloadPlaces: Sendable {
    /// What is called when a download's turn has come.
    typealias Call = @Sendable () -> Void

    /// What becomes of a download that wants to go on.
    enum Turn: Hashable, Sendable {
        /// It has its place still.
        case goesOn
        /// It has got a place now.
        case begins
        /// It is called when there is a place for it.
        case comesLater
    }

    /// Why there is no place, not even one to wait in.
    enum Fullness: Error {
        /// The device has as many downloads as it may.
        case device
        /// Too many wait already.
        case all
    }

    private enum Standing {
        case underWay
        /// It waits for its tenant's rate, or has not asked for its first turn yet.
        case resting
        /// It waits for its turn.
        case queued(Call)
    }

    private struct Place {
        let tenant: TenantID
        let device: DeviceID
        var standing: Standing
    }

    private struct State {
        var places: [UInt64: Place] = [:]
        var underWay = 0
        var underWayOf: [TenantID: Int] = [:]
        var countOf: [TenantID: Int] = [:]
        var countBy: [DeviceID: Int] = [:]
        /// Who waits for a turn, the oldest first; those who have gone are left out when they come to the front.
        var queues: [TenantID: CircularBuffer<(turn: UInt64, place: UInt64)>] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())
    private let most: Int
    private let mostWaiting: Int
    private let perDevice: Int

    /// So many places, and so many that wait for one.
    init(_ most: Int, waiting: Int, perDevice: Int) {
        self.most = max(most, 1)
        mostWaiting = max(waiting, 0)
        self.perDevice = max(perDevice, 1)
    }

    /// Downloads under way.
    var underWay: Int { state.withLock { $0.underWay } }
    /// Downloads that wait.
    var waiting: Int { state.withLock { $0.places.count - $0.underWay } }

    /// A place for a download of this device, if only one to wait in.
    func begin(_ device: AdmittedDevice) throws(Fullness) -> DownloadPlace {
        try begin(device.device, of: device.tenant)
    }

    /// The same for a device by its identifier.
    func begin(_ device: DeviceID, of tenant: TenantID) throws(Fullness) -> DownloadPlace {
        let number = state.withLock { state -> Result<UInt64, Fullness> in
            guard state.countBy[device, default: 0] < perDevice else { return .failure(.device) }
            let isFree = hasRoom(tenant, state)
            guard isFree || mayWait(tenant, state) else { return .failure(.all) }
            state.last += 1
            state.places[state.last] = Place(tenant: tenant, device: device, standing: .resting)
            state.countOf[tenant, default: 0] += 1
            state.countBy[device, default: 0] += 1
            if isFree { setUnderWay(state.last, &state) }
            return .success(state.last)
        }
        return DownloadPlace(self, try number.get())
    }

    /// It begins to wait for its rate: the place is given back, unless too many wait already.
    fileprivate func rest(_ number: UInt64) {
        let calls = state.withLock { state -> [Call] in
            guard let place = state.places[number], case .underWay = place.standing, mayWait(place.tenant, state) else {
                return []
            }
            leave(number, place.tenant, to: .resting, &state)
            return handOn(&state)
        }
        for call in calls { call() }
    }

    /// Goes on, or is called when there is a place.
    ///
    /// - Parameter givesWay: Whether it has gone on for long enough to let those who wait have their turn.
    fileprivate func goOn(_ number: UInt64, givesWay: Bool, _ call: @escaping Call) -> Turn {
        let (turn, calls) = state.withLock { state -> (Turn, [Call]) in
            guard let place = state.places[number] else { return (.goesOn, []) }
            switch place.standing {
            case .queued: return (.comesLater, [])
            case .resting where hasRoom(place.tenant, state):
                setUnderWay(number, &state)
                return (.begins, [])
            case .resting:
                queue(number, place.tenant, call, &state)
                return (.comesLater, [])
            case .underWay:
                guard givesWay, !state.queues.isEmpty else { return (.goesOn, []) }
                leave(number, place.tenant, to: .resting, &state)
                let calls = handOn(&state)
                guard calls.isEmpty else {
                    queue(number, place.tenant, call, &state)
                    return (.comesLater, calls)
                }
                setUnderWay(number, &state)
                return (.begins, [])
            }
        }
        for call in calls { call() }
        return turn
    }

    /// The download is over; who waited for its turn is called too, to see that.
    fileprivate func end(_ number: UInt64) {
        let calls = state.withLock { state -> [Call] in
            guard let place = state.places[number] else { return [] }
            var calls: [Call] = []
            switch place.standing {
            case .underWay: leave(number, place.tenant, to: .resting, &state)
            case .queued(let call): calls.append(call)
            case .resting: break
            }
            state.places[number] = nil
            Self.take(1, from: &state.countOf, place.tenant)
            Self.take(1, from: &state.countBy, place.device)
            return calls + handOn(&state)
        }
        for call in calls { call() }
    }

    // MARK: - Under the lock

    private func hasRoom(_ tenant: TenantID, _ state: State) -> Bool {
        state.underWay < most && state.underWayOf[tenant, default: 0] < max(most / 2, 1)
    }

    private func mayWait(_ tenant: TenantID, _ state: State) -> Bool {
        let waiting = state.countOf[tenant, default: 0] - state.underWayOf[tenant, default: 0]
        return state.places.count - state.underWay < mostWaiting && waiting < max(mostWaiting / 2, 1)
    }

    private func setUnderWay(_ number: UInt64, _ state: inout State) {
        guard let tenant = state.places[number]?.tenant else { return }
        state.places[number]?.standing = .underWay
        state.underWay += 1
        state.underWayOf[tenant, default: 0] += 1
    }

    private func leave(_ number: UInt64, _ tenant: TenantID, to standing: Standing, _ state: inout State) {
        state.places[number]?.standing = standing
        state.underWay -= 1
        Self.take(1, from: &state.underWayOf, tenant)
    }

    private func queue(_ number: UInt64, _ tenant: TenantID, _ call: @escaping Call, _ state: inout State) {
        state.places[number]?.standing = .queued(call)
        state.last += 1
        state.queues[tenant, default: CircularBuffer()].append((state.last, number))
    }

    /// Gives free places to those whose turn it is; who is to be called, outside of the lock.
    private func handOn(_ state: inout State) -> [Call] {
        var calls: [Call] = []
        while state.underWay < most {
            var oldest: (turn: UInt64, tenant: TenantID)?
            // As many as there are tenants with somebody who waits, which are few.
            for tenant in Array(state.queues.keys) {
                guard let turn = head(of: tenant, &state), hasRoom(tenant, state) else { continue }
                if oldest.map({ turn < $0.turn }) ?? true { oldest = (turn, tenant) }
            }
            guard let tenant = oldest?.tenant, let next = state.queues[tenant]?.popFirst()?.place,
                case .queued(let call)? = state.places[next]?.standing
            else { return calls }
            if state.queues[tenant]?.isEmpty == true { state.queues[tenant] = nil }
            setUnderWay(next, &state)
            calls.append(call)
        }
        return calls
    }

    /// The turn of the first of a tenant's downloads that still waits.
    private func head(of tenant: TenantID, _ state: inout State) -> UInt64? {
        while let first = state.queues[tenant]?.first {
            if state.places[first.place] != nil { return first.turn }
            state.queues[tenant]?.removeFirst()
        }
        state.queues[tenant] = nil
        return nil
    }

    private static func take<Key: Hashable>(_ count: Int, from counts: inout [Key: Int], _ key: Key) {
        let rest = counts[key, default: 0] - count
        counts[key] = rest > 0 ? rest : nil
    }
}

/// One download among all: under way, or waiting.
final class DownloadPlace: Sendable {
    private let places: DownloadPlaces
    private let number: UInt64

    fileprivate init(_ places: DownloadPlaces, _ number: UInt64) {
        self.places = places
        self.number = number
    }

    deinit { places.end(number) }

    /// Begins to wait for its rate.
    func rest() { places.rest(number) }

    /// Goes on, or waits for its turn, which `call` tells.
    func goOn(givingWay: Bool, _ call: @escaping DownloadPlaces.Call) -> DownloadPlaces.Turn {
        places.goOn(number, givesWay: givingWay, call)
    }

    /// Gives the place back; a second call does nothing.
    func end() { places.end(number) }
}
