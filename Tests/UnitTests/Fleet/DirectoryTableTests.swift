import Base
import Testing
import Trust

@testable import Fleet

@Suite("The directory's table")
struct DirectoryTableTests {
    private static let tenant = TenantID(high: 1, low: 1)
    private static let domain = DomainID(high: 2, low: 2)

    private static func device(_ number: UInt64, _ status: DeviceStatus = .active, revision: Int64 = 1)
        -> DirectoryDevice
    {
        guard let name = Name("meter-\(number)") else { preconditionFailure("a name of letters and digits") }
        return DirectoryDevice(
            tenant: tenant, id: DeviceID(high: 9, low: number), name: name, domain: domain, model: nil,
            status: status, revision: revision)
    }

    private static func digest(_ number: UInt64) -> Fingerprint {
        Fingerprint(ofCertificate: (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
    }

    private static func credential(_ device: UInt64, _ number: UInt64) -> DirectoryCredential {
        DirectoryCredential(
            device: DeviceID(high: 9, low: device), digest: digest(number), sort: .maintenanceCertificate,
            notAfter: Timestamp(microseconds: .max))
    }

    @Test("a credential leads to its device until it ends, and its ticket never to another one")
    func credentials() {
        var table = DirectoryTable()
        table.put(Self.device(1))
        table.add(Self.credential(1, 1))
        let found = table.credential(Self.digest(1))
        #expect(found?.device.id == DeviceID(high: 9, low: 1))
        guard let ticket = found?.ticket else { return }
        #expect(table.credential(ticket)?.device.name == Name("meter-1"))
        table.end([Self.digest(1)], of: DeviceID(high: 9, low: 1))
        #expect(table.credential(Self.digest(1)) == nil)
        table.add(Self.credential(1, 2))
        #expect(table.credential(Self.digest(2))?.ticket.slot == ticket.slot)
        #expect(table.credential(ticket) == nil)
    }

    @Test("an older revision, a deleted device and an ended credential never come back")
    func late() {
        var table = DirectoryTable()
        table.put(Self.device(1, .suspended, revision: 5))
        table.put(Self.device(1, .active, revision: 4))
        #expect(table.device(DeviceID(high: 9, low: 1))?.status == .suspended)
        table.end([Self.digest(1)], of: DeviceID(high: 9, low: 1))
        table.add(Self.credential(1, 1))
        #expect(table.credential(Self.digest(1)) == nil)
        table.remove(DeviceID(high: 9, low: 1))
        table.put(Self.device(1, .active, revision: 9))
        #expect(table.device(DeviceID(high: 9, low: 1)) == nil)
        #expect(table.deviceCount == 0)
    }

    @Test("after many changes in any order it holds what a plain dictionary holds")
    func oracle() {
        var table = DirectoryTable()
        var devices: [UInt64: Int64] = [:]
        var credentials: [UInt64: UInt64] = [:]
        var used: Set<UInt64> = []
        var gone: Set<UInt64> = []
        var generator = SystemRandomNumberGenerator()
        for step in 0..<5000 {
            let device = UInt64.random(in: 0..<200, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...3:
                table.put(Self.device(device, revision: Int64(step)))
                if !gone.contains(device) { devices[device] = Int64(step) }
            case 4, 5:
                let number = UInt64(step)
                table.add(Self.credential(device, number))
                if devices[device] != nil, used.insert(number).inserted { credentials[number] = device }
            case 6:
                if let number = credentials.keys.randomElement(using: &generator), let owner = credentials[number] {
                    table.end([Self.digest(number)], of: DeviceID(high: 9, low: owner))
                    credentials[number] = nil
                }
            default:
                table.remove(DeviceID(high: 9, low: device))
                gone.insert(device)
                devices[device] = nil
                credentials = credentials.filter { $0.value != device }
            }
        }
        #expect(table.deviceCount == devices.count)
        #expect(table.deviceCount(of: Self.tenant) == devices.count)
        #expect(table.credentialCount == credentials.count)
        for (device, revision) in devices {
            #expect(table.device(DeviceID(high: 9, low: device))?.revision == revision)
        }
        for (number, device) in credentials {
            #expect(table.credential(Self.digest(number))?.device.id == DeviceID(high: 9, low: device))
        }
        #expect(Set(table.devices(of: Self.tenant)) == Set(devices.keys.map { DeviceID(high: 9, low: $0) }))
    }
}
