import Base
import Crypto

@testable import Agent

extension Probe {
    /// What comes to a device from outside; the first byte says what it is. Whatever the bytes, nothing that is not signed
    /// by a known key is obeyed or taken for one, and what is read lies within its bounds.
    public static func agent(_ bytes: [UInt8]) throws {
        guard let kind = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        let text = String(decoding: rest, as: UTF8.self)
        switch kind % 8 {
        case 0:
            var contents = Journal.Contents()
            let intake = TaskIntake.judge(
                ["id": 11, "signed": .string(text)], for: .init(tenant: "acme", device: "d1"), keys: knownKeys,
                now: Timestamp(microseconds: 0), &contents)
            guard case .refused = intake else { throw ProbeFault(promise: "nothing unsigned is obeyed") }
            try check(contents.tasks.isEmpty && contents.taskSequence == 0, "what is refused leaves no trace")
        case 1:
            if let keys = MaintenanceKeys(parsing: rest) {
                let kept = MaintenanceKeys(parsing: Array(keys.json.canonical.utf8))
                try check(kept?.json == keys.json, "keys come back from the disk as they were")
            }
            if let later = knownKeys.successor(in: rest) {
                try check(later.json == knownKeys.json, "a known key alone brings no other one")
            }
        case 2:
            if let settings = try? AgentSettings(parsing: text) {
                try check(settings.missing.isEmpty, "what must be there is there")
                try check((1...65_535).contains(settings.port), "a port is one")
            }
        case 3:
            let token = "0123456789abcdef"
            if let form = try? SetupForm(body: rest, token: token) {
                try check(!form.lines.contains { $0.utf8.contains(10) }, "an entry is one line")
            }
        case 4:
            let reading = ModemReader.reading(in: rest)
            let signal = reading.values["host.cellular.signal"]?.integer
            try check(signal.map { (0...100).contains($0) } ?? true, "a signal is in percent")
        case 5:
            if let values = PositionReader.values(in: rest) {
                try check(values["host.position.latitude"] != nil, "a position has a latitude")
            }
        case 6:
            if case .open(let count) = ProxyTunnel.judge(rest) {
                try check((4...rest.count).contains(count), "an answer ends within what came")
            }
        default:
            // The start of a part, and what a disk made of it.
            let records = SealedRecords(rest, first: 0, key: SymmetricKey(data: [UInt8](repeating: 1, count: 32)))
            try check(records.readings.isEmpty, "nothing is read that was not sealed")
        }
    }

    /// One key, whose private half nobody has.
    private static let knownKeys: MaintenanceKeys = {
        let set = """
            {"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
            """
        return MaintenanceKeys(parsing: Array(set.utf8)) ?? MaintenanceKeys()
    }()
}
