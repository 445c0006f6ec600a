import Access
import Audit
import Base
import Bus
import Crypto
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Where devices find this server.
public struct DeviceAddresses: Sendable {
    /// The host name that is in the server's certificate.
    let host: String
    /// The people listener's port.
    let people: Int
    /// The device listener's port.
    let device: Int
    /// The MQTT listener's port.
    let mqtt: Int

    /// Listeners of a host.
    public init(host: String, people: Int, device: Int, mqtt: Int) {
        self.host = host
        self.people = people
        self.device = device
        self.mqtt = mqtt
    }
}

/// Asks for a new device's name.
struct ConnectForm: PageView {
    static let template = "connect-device"
    static let menu: MenuItem? = .devices
    let title = "Connect a device"
    let list: String
    let address: String
    var name: String
    var fault: String?
    let models: [String]
    let hasModels: Bool
    let domains: [DevicesPage.Choice]
    let hasDomains: Bool
}

extension ConnectForm {
    init(_ console: ConsoleParts, _ visit: TenantVisit) async throws {
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        let held = try await console.reach(of: principal, in: visit.tenant).0
        list = "\(visit.home)/devices"
        address = "\(list)/connect"
        models =
            held.contains(.modelRead) ? try await console.fleet.models(in: tenant, by: principal).map(\.name.text) : []
        hasModels = !models.isEmpty
        let places =
            held.contains(.domainRead)
            ? DomainNames(try await console.access.domains(tenant: tenant, by: principal)) : DomainNames([])
        domains = places.choices.map { .init(value: $0.path, label: $0.label, isOn: false) }
        hasDomains = domains.count > 1
        name = visit.form.text("name") ?? ""
    }

    /// Registers the device and shows the block.
    static func register(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        var form = try await ConnectForm(console, visit)
        do {
            guard let name = Name(form.name) else {
                throw Refusal(
                    .invalid, "device.invalid",
                    "A name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.")
            }
            let draft = DeviceDraft(name: name, model: visit.form.text("model"), domain: visit.form.text("domain"))
            let registered = try await console.fleet.register(draft, in: visit.tenant.id, by: visit.principal)
            return try BlockPage.outcome(console, visit, registered.device, registered.token)
        } catch let refusal as Refusal where refusal.code != PageTable.stepUp {
            form.fault = refusal.message
            return .again(form)
        }
    }
}

/// The block that is pasted on a device, and the wait for its first reading.
struct BlockPage: PageView {
    static let template = "block"
    static let menu: MenuItem? = .devices
    let title: String
    let list: String
    let address: String
    let name: String
    let block: String
    let until: Moment

    static func outcome(
        _ console: ConsoleParts, _ visit: TenantVisit, _ device: Device, _ token: EnrolmentToken
    ) throws -> Outcome {
        let page = BlockPage(
            title: "Connect \(device.name)", list: "\(visit.home)/devices",
            address: "\(visit.home)/devices/\(device.name)", name: device.name.text,
            block: try block(
                name: device.name, token: token.text, tenant: visit.tenant.slug, at: console.addresses,
                authority: console.serverAuthority()), until: Moment(token.expires))
        return .page(page, live: "\(visit.home)/live?device=\(device.id)&waiting=1")
    }

    /// Every value in it follows a rule that keeps it safe as a shell's word: names, slugs and tokens by their form.
    static func block(
        name: Name, token: String, tenant: TenantSlug, at addresses: DeviceAddresses, authority: String
    ) -> String {
        let print = SHA256.hash(data: Array(authority.utf8)).map { $0 }.hex
        let host = addresses.host
        return """
            ( set -e; umask 077; mkdir -p \(name); cd \(name)
            # 1. This server's authority, checked against its fingerprint
            curl -sSk -o server-ca.pem https://\(host):\(addresses.people)/server-ca.pem
            echo '\(print)  server-ca.pem' | sha256sum -c -
            # 2. A key that stays here, and a certificate for it
            openssl ecparam -name prime256v1 -genkey -noout -out device.key
            openssl req -new -key device.key -subj /CN=\(name) -outform DER | base64 > request.b64
            curl -sSf --cacert server-ca.pem -u '\(name):\(token)' \\
              -H 'Content-Type: application/pkcs10' --data-binary @request.b64 -o answer.b64 \\
              https://\(host):\(addresses.device)/\(tenant)/.well-known/est/simpleenroll
            base64 -d answer.b64 | openssl pkcs7 -inform DER -print_certs -out device.pem
            # 3. A first reading
            mosquitto_pub -h \(host) -p \(addresses.mqtt) --cafile server-ca.pem --cert device.pem --key device.key \\
              -q 1 -t telemetry -m '[{"n":"temperature","u":"Cel","v":21.5}]'
            echo 'Connected.' )
            """
    }
}
