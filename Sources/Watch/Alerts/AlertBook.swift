import Base
import Operations

/// The open alerts of one tenant and the devices that they are about: decides what facts open, change and close.
///
/// It does no I/O. Devices of a domain that go missing within an hour, or within the pauses between their calls where
/// these are longer, belong to one alert, so that a site that is lost is one alert. One device that has been away for
/// weeks, or of which somebody takes care, does not hide that the rest of its site is lost too.
struct AlertBook: Sendable {
    /// A device and the alert that is about it.
    struct Member: Hashable, Sendable {
        var alert: AlertID
        var isSilent = false
    }

    /// What became of a device's calls.
    enum DeviceFact: Hashable, Sendable {
        case late(Timestamp)
        case silent(Timestamp)
        case back
        case excused
    }

    /// What facts changed, to be written.
    struct Changes: Sendable {
        var opened: Set<AlertID> = []
        var changed: Set<AlertID> = []
        var joined: [(alert: AlertID, device: DeviceID)] = []
        var left: [AlertID: [DeviceID]] = [:]
        var closed: [(alert: OpenAlert, end: AlertEnd)] = []

        var isEmpty: Bool { changed.isEmpty && joined.isEmpty && left.isEmpty && closed.isEmpty }
    }

    private(set) var open: [AlertID: OpenAlert] = [:]
    /// The newest open alert of each subject.
    private var newest: [AlertSubject: AlertID] = [:]
    /// Devices that are late or silent.
    private(set) var missing: [DeviceID: Member] = [:]
    /// Devices whose certificates end.
    private(set) var expiring: [DeviceID: Member] = [:]
    /// Devices that were missing and are no more, of alerts that others may still join. It is not stored: after a
    /// restart such a device counts once more.
    private var former: [AlertID: Set<DeviceID>] = [:]
    private(set) var changes = Changes()

    /// Puts in an alert as it was stored.
    ///
    /// Alerts come in the order in which they were made; of a device that stands in two, the newer one counts.
    mutating func restore(_ alert: OpenAlert, devices: [DeviceID], silent: Set<DeviceID>) {
        var alert = alert
        switch alert.subject {
        case .contact:
            for device in devices {
                leave(device, .excused)
                missing[device] = Member(alert: alert.id, isSilent: silent.contains(device))
            }
            (alert.missing, alert.silent) = (devices.count, devices.count { silent.contains($0) })
            alert.settleSilence()
        case .certificates:
            for device in devices {
                renew(device)
                expiring[device] = Member(alert: alert.id)
            }
            alert.missing = devices.count
        case .operation, .campaign: break
        }
        alert.devices = max(alert.devices, alert.missing)
        open[alert.id] = alert
        if newest[alert.subject].map({ $0 < alert.id }) ?? true { newest[alert.subject] = alert.id }
    }

    /// Takes what is to be written.
    mutating func takeChanges() -> Changes {
        defer { changes = Changes() }
        return changes
    }

    /// Notes what a rule has told of an alert.
    mutating func told(_ alert: AlertID, _ telling: AlertTelling, by rule: AlertRuleID) {
        open[alert]?.told[rule] = telling
    }

    /// Notes whether somebody takes care of an alert.
    mutating func mark(_ alert: AlertID, isAcknowledged: Bool) { open[alert]?.isAcknowledged = isAcknowledged }

    // MARK: - Calls

    /// Something became of a device's calls; `home` is where it lives, `wave` are the seconds that it may take until a
    /// loss shows in its calls.
    mutating func take(
        _ fact: DeviceFact, of device: DeviceID, home: DomainID?, wave: Int64 = 0, at now: Timestamp
    ) {
        switch fact {
        case .late(let time):
            guard let home else { return leave(device, .excused) }
            join(device, home, isSilent: false, since: time, wave, at: now)
        case .silent(let time):
            guard let home else { return leave(device, .excused) }
            join(device, home, isSilent: true, since: time, wave, at: now)
        case .back: leave(device, .back)
        case .excused: leave(device, .excused)
        }
    }

    /// Looks whether a missing device lives where its alert says.
    mutating func move(_ device: DeviceID, home: DomainID?, wave: Int64 = 0, at now: Timestamp) {
        guard let member = missing[device], let alert = open[member.alert], let home, alert.domain != home else {
            return
        }
        leave(device, .excused)
        join(device, home, isSilent: member.isSilent, since: alert.silentSince ?? alert.opened, wave, at: now)
    }

    private mutating func join(
        _ device: DeviceID, _ home: DomainID, isSilent: Bool, since: Timestamp, _ wave: Int64, at now: Timestamp
    ) {
        if let member = missing[device] {
            guard var alert = open[member.alert] else { return }
            // The server may have stopped before it wrote that the device is silent.
            guard member.isSilent != isSilent || isSilent && alert.silentSince == nil else { return }
            if member.isSilent != isSilent { alert.silent += isSilent ? 1 : -1 }
            if isSilent, alert.silentSince == nil { alert.silentSince = since }
            alert.settleSilence()
            missing[device]?.isSilent = isSilent
            put(alert)
            return
        }
        var alert = alert(about: .contact(home), domain: home, opened: since, wave: wave, for: device, at: now)
        if former[alert.id]?.remove(device) == nil { alert.devices += 1 }
        alert.missing += 1
        alert.opened = min(alert.opened, since)
        if isSilent {
            alert.silent += 1
            alert.silentSince = min(alert.silentSince ?? since, since)
        }
        missing[device] = Member(alert: alert.id, isSilent: isSilent)
        changes.joined.append((alert.id, device))
        put(alert)
    }

    private mutating func leave(_ device: DeviceID, _ end: AlertEnd) {
        guard let member = missing.removeValue(forKey: device), var alert = open[member.alert] else { return }
        alert.missing -= 1
        if member.isSilent { alert.silent -= 1 }
        alert.settleSilence()
        former[alert.id, default: []].insert(device)
        changes.left[alert.id, default: []].append(device)
        put(alert)
        if alert.missing == 0 { close(alert, end) }
    }

    // MARK: - Certificates

    /// The devices whose certificates end soon, all of them.
    mutating func takeExpiring(_ devices: [DeviceID: (home: DomainID, end: Timestamp)], at now: Timestamp) {
        for device in expiring.keys.sorted() where devices[device] == nil { renew(device) }
        for (device, (home, end)) in devices.sorted(by: { $0.key < $1.key }) {
            if let member = expiring[device] {
                guard var alert = open[member.alert], alert.ends.map({ end < $0 }) ?? true else { continue }
                alert.ends = end
                put(alert)
                continue
            }
            var alert = alert(about: .certificates(home), domain: home, opened: now, at: now)
            alert.devices += 1
            alert.missing += 1
            alert.ends = min(alert.ends ?? end, end)
            expiring[device] = Member(alert: alert.id)
            changes.joined.append((alert.id, device))
            put(alert)
        }
    }

    private mutating func renew(_ device: DeviceID) {
        guard let member = expiring.removeValue(forKey: device), var alert = open[member.alert] else { return }
        alert.missing -= 1
        changes.left[alert.id, default: []].append(device)
        put(alert)
        if alert.missing == 0 { close(alert, .renewed) }
    }

    /// Closes alerts of places that are about no device: the server stopped before it could write that they are over.
    mutating func closeEmpty(certificates: Bool) {
        for alert in open.values.sorted(by: { $0.id < $1.id }) where alert.missing == 0 {
            switch alert.subject {
            case .contact: close(alert, .back)
            case .certificates: if certificates { close(alert, .renewed) }
            case .operation, .campaign: break
            }
        }
    }

    // MARK: - Operations

    /// The open alert of an operation.
    func alert(about operation: OperationID) -> OpenAlert? {
        newest[.operation(operation)].flatMap { open[$0] }
    }

    /// What failed of an operation; `fresh` of these no alert was about that somebody has dealt with. After a retry
    /// what fails anew is a new alert.
    mutating func take(
        _ failures: OperationFailures, domain: DomainID, fresh: Int, isRetried: Bool, isAcknowledged: Bool,
        at now: Timestamp
    ) {
        let subject = AlertSubject.operation(failures.operation)
        if isRetried, fresh > 0, let alert = alert(about: failures.operation) { close(alert, .retried) }
        guard var alert = alert(about: failures.operation) else {
            guard fresh > 0 else { return }
            var alert = alert(about: subject, domain: domain, opened: now, at: now)
            (alert.title, alert.campaign) = (failures.title, failures.campaign)
            (alert.devices, alert.missing) = (failures.failures, failures.failures)
            return put(alert)
        }
        if failures.failures == 0 { return close(alert, .retried) }
        alert.campaign = failures.campaign
        open[alert.id] = alert
        if alert.missing != failures.failures {
            alert.devices = max(alert.devices, failures.failures)
            alert.missing = failures.failures
            put(alert)
        }
        if isAcknowledged, failures.isOver { close(alert, .acknowledged) }
    }

    /// An operation is gone.
    mutating func forget(_ operation: OperationID) {
        if let alert = alert(about: operation) { close(alert, .retried) }
    }

    // MARK: - Campaigns

    /// The open alert of the paused campaign of which the tasks that an alert is about are a group.
    func pause(over alert: OpenAlert) -> OpenAlert? {
        alert.campaign.flatMap { newest[.campaign($0)] }.flatMap { open[$0] }
    }

    /// How a campaign stands; nil when it is gone.
    mutating func take(_ standing: CampaignStanding?, of campaign: CampaignID, domain: DomainID, at now: Timestamp) {
        let subject = AlertSubject.campaign(campaign)
        guard let standing, standing.isPausedByItself else {
            if let alert = newest[subject].flatMap({ open[$0] }) { close(alert, .resumed) }
            return
        }
        var alert = alert(about: subject, domain: domain, opened: now, at: now)
        guard open[alert.id] == nil || alert.missing != standing.failures else { return }
        alert.title = standing.title
        alert.missing = standing.failures
        alert.devices = max(alert.devices, standing.failures)
        put(alert)
    }

    /// Closes what nobody has needed for a long time.
    mutating func age(before time: Timestamp) {
        for alert in open.values.filter({ !$0.subject.isPlace && $0.opened < time }) { close(alert, .aged) }
    }

    // MARK: - Alerts

    /// The alert of a subject that something new belongs to, which may be a device.
    private mutating func alert(
        about subject: AlertSubject, domain: DomainID, opened: Timestamp, wave: Int64 = 0, for device: DeviceID? = nil,
        at now: Timestamp
    ) -> OpenAlert {
        if let id = newest[subject], let alert = open[id] {
            if !subject.isPlace { return alert }
            // Nobody is told of an alert that somebody takes care of: who is new to it needs one that is told.
            let isSame = !alert.isAcknowledged || device.map { former[id]?.contains($0) ?? false } ?? false
            // Not by when it began: who is found to be missing for hours, at a start or a move, belongs together too.
            if isSame, alert.made + .seconds(max(wave, WatchLimits.waveSeconds)) > now { return alert }
            former[id] = nil
        }
        let alert = OpenAlert(id: AlertID(now: now), subject: subject, domain: domain, title: "", opened: opened)
        newest[subject] = alert.id
        changes.opened.insert(alert.id)
        return alert
    }

    private mutating func put(_ alert: OpenAlert) {
        open[alert.id] = alert
        changes.changed.insert(alert.id)
    }

    private mutating func close(_ alert: OpenAlert, _ end: AlertEnd) {
        open[alert.id] = nil
        former[alert.id] = nil
        if newest[alert.subject] == alert.id { newest[alert.subject] = nil }
        changes.closed.append((alert, end))
    }
}
