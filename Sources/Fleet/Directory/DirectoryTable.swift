import Base
import Trust

/// The devices and credentials of the whole deployment, packed: about 200 bytes for a device with a certificate.
///
/// Rows stand in arrays and are found by a dictionary from a hash to the first row with it; rows with the same hash
/// are chained. Values that many rows share (tenant, domain, model) are kept once and referred to by number.
struct DirectoryTable: Sendable {
    /// No row.
    private static let none = UInt32.max

    /// What identifies a credential: the SHA-256 of a certificate or of an access token.
    typealias Digest = Fingerprint

    struct DeviceRow: Sendable {
        let id: DeviceID
        var name: Name
        var revision: Int64
        fileprivate(set) var tenant: UInt32
        fileprivate(set) var domain: UInt32
        fileprivate(set) var model: UInt32
        fileprivate var credential: UInt32
        fileprivate var next: UInt32
        var status: DeviceStatus
    }

    struct CredentialRow: Sendable {
        let digest: Digest
        let number: UInt64
        let notAfter: Timestamp
        let device: UInt32
        fileprivate var nextOfDevice: UInt32
        fileprivate var next: UInt32
        let sort: CredentialSort
    }

    private(set) var devices: [DeviceRow?] = []
    private(set) var credentials: [CredentialRow?] = []
    private var deviceIndex: [Int: UInt32] = [:]
    private var credentialIndex: [Int: UInt32] = [:]
    private var freeDevices: [UInt32] = []
    private var freeCredentials: [UInt32] = []
    private var tenants = Shared<TenantID>()
    private var domains = Shared<DomainID>()
    private var models = Shared<ModelID>()
    private var countByTenant: [Int] = []
    /// The devices by name, of the tenants whose gateways name them so.
    private var names: [UInt32: [Name: DeviceID]] = [:]
    private var lastNumber: UInt64 = 0
    private var deleted = Remembered<DeviceID>()
    private var ended = Remembered<Digest>()

    /// How many devices there are.
    var deviceCount: Int { devices.count - freeDevices.count }
    /// How many credentials there are.
    var credentialCount: Int { credentials.count - freeCredentials.count }

    /// Makes room for so many rows at once.
    mutating func reserve(devices: Int, credentials: Int) {
        self.devices.reserveCapacity(devices)
        self.credentials.reserveCapacity(credentials)
        deviceIndex.reserveCapacity(devices)
        credentialIndex.reserveCapacity(credentials)
    }

    // MARK: - Looking up

    func device(_ id: DeviceID) -> DeviceRow? { slot(of: id).flatMap { devices[Int($0)] } }

    /// The device of this name, of a tenant whose names are kept.
    func device(named name: Name, of tenant: TenantID) -> DeviceID? {
        tenants.existing(tenant).flatMap { names[$0]?[name] }
    }

    func credential(_ digest: Digest) -> (ticket: CredentialTicket, credential: CredentialRow, device: DeviceRow)? {
        var slot = credentialIndex[digest.hashValue] ?? Self.none
        while slot != Self.none, let row = credentials[Int(slot)] {
            if row.digest == digest, let device = devices[Int(row.device)] {
                return (CredentialTicket(slot: slot, number: row.number), row, device)
            }
            slot = row.next
        }
        return nil
    }

    /// The credential that the ticket was given for, unless it has ended.
    func credential(_ ticket: CredentialTicket) -> (credential: CredentialRow, device: DeviceRow)? {
        guard credentials.indices.contains(Int(ticket.slot)), let row = credentials[Int(ticket.slot)],
            row.number == ticket.number, let device = devices[Int(row.device)]
        else { return nil }
        return (row, device)
    }

    func tenant(of row: DeviceRow) -> TenantID { tenants[row.tenant] }
    func domain(of row: DeviceRow) -> DomainID { domains[row.domain] }
    func model(of row: DeviceRow) -> ModelID? { row.model == Self.none ? nil : models[row.model] }

    // MARK: - Changing

    /// Puts a device in or brings it up to date; an older revision than the present one, or one of a deleted device,
    /// changes nothing, so that it does not matter in which order two commits report.
    mutating func put(_ device: DirectoryDevice) {
        guard !deleted.contains(device.id) else { return }
        let model = device.model.map { models.number(of: $0) } ?? Self.none
        let domain = domains.number(of: device.domain)
        if let slot = slot(of: device.id) {
            guard var row = devices[Int(slot)], row.revision < device.revision else { return }
            if names[row.tenant] != nil {
                if names[row.tenant]?[row.name] == row.id { names[row.tenant]?[row.name] = nil }
                names[row.tenant]?[device.name] = row.id
            }
            row.name = device.name
            row.status = device.status
            row.revision = device.revision
            row.model = model
            row.domain = domain
            devices[Int(slot)] = row
            return
        }
        let key = device.id.hashValue
        let tenant = tenants.number(of: device.tenant)
        if countByTenant.count <= Int(tenant) { countByTenant.append(0) }
        countByTenant[Int(tenant)] += 1
        names[tenant]?[device.name] = device.id
        let row = DeviceRow(
            id: device.id, name: device.name, revision: device.revision, tenant: tenant,
            domain: domain, model: model, credential: Self.none, next: deviceIndex[key] ?? Self.none,
            status: device.status)
        if let slot = freeDevices.popLast() {
            devices[Int(slot)] = row
            deviceIndex[key] = slot
        } else {
            deviceIndex[key] = UInt32(truncatingIfNeeded: devices.count)
            devices.append(row)
        }
    }

    /// Takes a device and its credentials out for good.
    mutating func remove(_ id: DeviceID) {
        deleted.insert(id)
        guard let slot = slot(of: id) else { return }
        removeCredentials(of: id)
        unlinkDevice(slot, id)
        if let row = devices[Int(slot)] {
            countByTenant[Int(row.tenant)] -= 1
            if names[row.tenant]?[row.name] == id { names[row.tenant]?[row.name] = nil }
        }
        devices[Int(slot)] = nil
        freeDevices.append(slot)
    }

    /// Adds a device's credential; one of a device that is not here counts for nothing, and one that has ended never
    /// comes back.
    mutating func add(_ credential: DirectoryCredential) {
        guard let device = slot(of: credential.device), self.credential(credential.digest) == nil,
            !ended.contains(credential.digest)
        else { return }
        lastNumber += 1
        let key = credential.digest.hashValue
        let row = CredentialRow(
            digest: credential.digest, number: lastNumber, notAfter: credential.notAfter, device: device,
            nextOfDevice: devices[Int(device)]?.credential ?? Self.none, next: credentialIndex[key] ?? Self.none,
            sort: credential.sort)
        let slot: UInt32
        if let free = freeCredentials.popLast() {
            slot = free
            credentials[Int(slot)] = row
        } else {
            slot = UInt32(truncatingIfNeeded: credentials.count)
            credentials.append(row)
        }
        credentialIndex[key] = slot
        devices[Int(device)]?.credential = slot
    }

    /// Notes that these credentials have ended, whether or not they are here yet, and takes them out.
    mutating func end(_ digests: [Digest], of id: DeviceID) {
        for digest in digests { ended.insert(digest) }
        removeCredentials(of: id) { digests.contains($0.digest) }
    }

    /// Takes the credentials of a device out: all, or those that `isGone` names.
    mutating func removeCredentials(of id: DeviceID, where isGone: (CredentialRow) -> Bool = { _ in true }) {
        guard let deviceSlot = slot(of: id) else { return }
        var kept = Self.none
        var slot = devices[Int(deviceSlot)]?.credential ?? Self.none
        while slot != Self.none, var row = credentials[Int(slot)] {
            let following = row.nextOfDevice
            if isGone(row) {
                ended.insert(row.digest)
                unlinkCredential(slot, row)
                credentials[Int(slot)] = nil
                freeCredentials.append(slot)
            } else {
                row.nextOfDevice = kept
                credentials[Int(slot)] = row
                kept = slot
            }
            slot = following
        }
        devices[Int(deviceSlot)]?.credential = kept
    }

    /// Finds the devices of a tenant by name from now on.
    mutating func keepNames(of tenant: TenantID) {
        let number = tenants.number(of: tenant)
        if countByTenant.count <= Int(number) { countByTenant.append(0) }
        guard names[number] == nil else { return }
        var all: [Name: DeviceID] = [:]
        for case let row? in devices where row.tenant == number { all[row.name] = row.id }
        names[number] = all
    }

    /// Forgets the names of a tenant's devices.
    mutating func dropNames(of tenant: TenantID) {
        if let number = tenants.existing(tenant) { names[number] = nil }
    }

    /// Every device of a tenant.
    func devices(of tenant: TenantID) -> [DeviceID] {
        guard let number = tenants.existing(tenant) else { return [] }
        return devices.compactMap { $0?.tenant == number ? $0?.id : nil }
    }

    /// How many devices a tenant has.
    func deviceCount(of tenant: TenantID) -> Int { tenants.existing(tenant).map { countByTenant[Int($0)] } ?? 0 }

    /// The devices of a model.
    func devices(of model: ModelID) -> [DeviceID] {
        guard let number = models.existing(model) else { return [] }
        return devices.compactMap { $0?.model == number ? $0?.id : nil }
    }

    // MARK: - Chains

    private func slot(of id: DeviceID) -> UInt32? {
        var slot = deviceIndex[id.hashValue] ?? Self.none
        while slot != Self.none, let row = devices[Int(slot)] {
            if row.id == id { return slot }
            slot = row.next
        }
        return nil
    }

    private mutating func unlinkDevice(_ slot: UInt32, _ id: DeviceID) {
        let key = id.hashValue
        let following = devices[Int(slot)]?.next ?? Self.none
        guard deviceIndex[key] != slot else {
            deviceIndex[key] = following == Self.none ? nil : following
            return
        }
        var before = deviceIndex[key] ?? Self.none
        while before != Self.none, let row = devices[Int(before)] {
            if row.next == slot {
                devices[Int(before)]?.next = following
                return
            }
            before = row.next
        }
    }

    private mutating func unlinkCredential(_ slot: UInt32, _ row: CredentialRow) {
        let key = row.digest.hashValue
        guard credentialIndex[key] != slot else {
            credentialIndex[key] = row.next == Self.none ? nil : row.next
            return
        }
        var before = credentialIndex[key] ?? Self.none
        while before != Self.none, let other = credentials[Int(before)] {
            if other.next == slot {
                credentials[Int(before)]?.next = row.next
                return
            }
            before = other.next
        }
    }
}

/// Values that many rows share, each with a small number.
private struct Shared<Value: Hashable & Sendable>: Sendable {
    private var values: [Value] = []
    private var numbers: [Value: UInt32] = [:]

    subscript(number: UInt32) -> Value { values[Int(number)] }

    func existing(_ value: Value) -> UInt32? { numbers[value] }

    mutating func number(of value: Value) -> UInt32 {
        if let number = numbers[value] { return number }
        let number = UInt32(truncatingIfNeeded: values.count)
        values.append(value)
        numbers[value] = number
        return number
    }
}

/// The last things that ended, so that a commit which reports late can not bring one of them back.
private struct Remembered<Element: Hashable & Sendable>: Sendable {
    private var elements: Set<Element> = []
    private var order: [Element] = []

    func contains(_ element: Element) -> Bool { elements.contains(element) }

    mutating func insert(_ element: Element) {
        guard elements.insert(element).inserted else { return }
        order.append(element)
        guard order.count > FleetLimits.rememberedEnds else { return }
        // In halves, so that forgetting costs nothing on average.
        let old = order.prefix(FleetLimits.rememberedEnds / 2)
        for element in old { elements.remove(element) }
        order.removeFirst(old.count)
    }
}

/// What sort of credential a row stands for.
enum CredentialSort: UInt8, Sendable {
    case maintenanceCertificate
    case streamCertificate
    case accessToken
}

/// What the directory needs to know about a device.
struct DirectoryDevice: Sendable {
    var tenant: TenantID
    var id: DeviceID
    var name: Name
    var domain: DomainID
    var model: ModelID?
    var status: DeviceStatus
    var revision: Int64
}

/// What the directory needs to know about a credential.
struct DirectoryCredential: Sendable {
    var device: DeviceID
    var digest: DirectoryTable.Digest
    var sort: CredentialSort
    var notAfter: Timestamp
}
