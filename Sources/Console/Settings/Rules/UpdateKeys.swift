import Access
import Base
import Northbound
import Operations
import Trust

/// The pages about the keys whose signatures updates must have.
extension PageTable {
    static func updateKeys(_ console: ConsoleParts) -> [Page] {
        [
            console.settings("", .updateKeys) { try await .show(UpdateKeyPages.list($0)) },
            console.settings("/new", .updateKeys, needs: .updateKeyManage) { .show(UpdateKeyPages.form($0, $0.query)) },
            console.settings(posting: "/new", .updateKeys, needs: .updateKeyManage) {
                try await UpdateKeyPages.put($0)
            },
            console.settings("/{updateKey}/delete", .updateKeys, needs: .updateKeyManage) {
                try await .show(UpdateKeyPages.deletion($0))
            },
            console.settings(posting: "/{updateKey}/delete", .updateKeys, needs: .updateKeyManage) {
                try await UpdateKeyPages.delete($0)
            },
        ]
    }
}

enum UpdateKeyPages {
    static func list(_ visit: SettingsVisit) async throws -> SettingsList {
        let keys = try await visit.console.operations.updateKeys(in: visit.tenantID, by: visit.principal)
        let now = visit.console.clock.now
        return SettingsList(
            visit.place, "Update keys",
            "Where there is one at least, an update of SWUpdate is taken only when it is signed for one of them.",
            heads: ["Name", "What it is", "Key", "Valid until", "Put by"],
            rows: keys.map { key in
                .init(
                    name: .text(key.name.text),
                    cells: [
                        .text(key.key.kind.words, aside: key.key.subject),
                        .init(words: key.key.algorithm, code: String(key.key.fingerprint.hex.prefix(32))),
                        key.key.ends.map { $0 < now } == true
                            ? .badge(.critical("Ended")) : .time(key.key.ends, else: "without an end"),
                        .init(at: Moment(key.created), aside: key.creatorName),
                    ],
                    rowActs: visit.can(.updateKeyManage)
                        ? [.link("Delete", visit.address(key.name.text, "delete"), "danger", about: key.name.text)]
                        : [])
            }, nothing: "There is none: updates come unverified, and devices alone check their signatures.",
            acts: visit.can(.updateKeyManage) ? [.link("New update key", visit.address("new"), "primary")] : [])
    }

    static func form(_ visit: SettingsVisit, _ form: FormFields) -> SettingsForm {
        SettingsForm(
            visit.place, "New update key",
            effect: "Updates that are signed for it are taken from now on, and unsigned ones no more.",
            action: visit.address("new"),
            fields: [
                .text(
                    "name", "Name", form.text("name"), hint: "A key under this name is replaced.", isRequired: true,
                    longest: 128),
                .area(
                    "pem", "Certificate or public key", form.exact("pem"),
                    hint: "PEM: a certificate that signs, that of an authority, or a public key. Never a private key."),
                .reason(form, isRequired: true),
            ], verb: "Trust it", back: visit.address())
    }

    static func put(_ visit: SettingsVisit) async throws -> Outcome {
        try await form(visit, visit.form).answering {
            guard let name = visit.form.text("name").flatMap({ Name($0) }) else {
                throw Refusal(
                    .invalid, "updateKey.name",
                    "A name is 1 to 128 letters, digits and ._:- and starts with a letter or digit.",
                    faults: [.init(place: "name", message: "is not such a name")])
            }
            let pem = visit.form.exact("pem")
            return try await visit.change(
                "updateKey.put", ["name": .string(name.text), "pem": .string(pem)], done: .saved, to: visit.address()
            ) {
                _ = try await visit.console.operations.putUpdateKey(
                    name, pem, reason: visit.reason, in: visit.tenantID, by: visit.principal)
            }
        }
    }

    static func deletion(_ visit: SettingsVisit) async throws -> SettingsForm {
        let key = try await visit.console.operations.updateKey(
            visit.path("updateKey"), in: visit.tenantID, by: visit.principal)
        let all = try await visit.console.operations.updateKeys(in: visit.tenantID, by: visit.principal)
        return SettingsForm(
            visit.place, "Delete the update key \(key.name)?",
            effect: all.count == 1
                ? "It is the last one: updates are taken without a signature from now on."
                : "Updates that are signed for it are taken no more. Files that are there stay what they were found to be.",
            action: visit.address(key.name.text, "delete"), fields: [.reason(visit.form, isRequired: true)],
            verb: "Delete", isDangerous: true, back: visit.address())
    }

    static func delete(_ visit: SettingsVisit) async throws -> Outcome {
        try await deletion(visit).answering {
            let name = visit.path("updateKey")
            return try await visit.change(
                "updateKey.delete", ["name": .string(name)], done: .deleted, to: visit.address()
            ) {
                try await visit.console.operations.deleteUpdateKey(
                    name, reason: visit.reason, in: visit.tenantID, by: visit.principal)
            }
        }
    }
}

extension UpdateKey.Kind {
    /// What it is, in a few words.
    fileprivate var words: String {
        switch self {
        case .certificate: "certificate that signs"
        case .authority: "certificate of an authority"
        case .publicKey: "public key"
        }
    }
}
