import Access
import Base
import Fleet
import Northbound

/// The pages about what devices are wanted to be.
extension PageTable {
    static func configuration(_ console: ConsoleParts) -> [Page] {
        [
            Page("/devices/{device}/configuration", needs: .deviceRead) { visit in
                let place = try await ConfigurationPlace.device(console, visit)
                return .show(try await ConfigurationPage(console, visit, place))
            },
            Page(posting: "/devices/{device}/configuration", needs: .deviceControl) { visit in
                try await ConfigurationAct.run(console, visit, ConfigurationPlace.device(console, visit))
            },
            Page("/configuration", needs: .deviceRead) { visit in
                let place = try await ConfigurationPlace.shared(console, visit)
                return .show(try await ConfigurationPage(console, visit, place))
            },
            Page(posting: "/configuration", needs: .deviceControl) { visit in
                try await ConfigurationAct.run(console, visit, ConfigurationPlace.shared(console, visit))
            },
            Page("/configuration/edits", needs: .deviceControl) { visit in
                .show(try await EditsPage(console, visit, EditForm(visit.query)))
            },
            Page(posting: "/configuration/edits", needs: .deviceControl) { visit in
                try await EditAct.run(console, visit)
            },
        ]
    }
}

/// Takes the form of a layer: shows what it would do, then does it.
enum ConfigurationAct {
    static func run(
        _ console: ConsoleParts, _ visit: TenantVisit, _ place: ConfigurationPlace
    ) async throws -> Outcome {
        let form = ConfigurationForm(visit.form)
        let (tenant, principal) = (visit.tenant.id, visit.principal)
        do {
            // What was sent says what changed against what was shown.
            guard form.version == place.layer.version else {
                throw Refusal(
                    .conflict, "desired.changed", "Somebody changed it meanwhile; open the page again.")
            }
            let (value, hasSecret) = try form.layer(over: place)
            let mark = ConfigurationForm.mark(value, form.version)
            let isSure = visit.form.text("act") == "save" && visit.form.text("seen") == mark
            guard isSure else {
                let preview = try await console.fleet.previewLayer(
                    value, at: place.reference, in: tenant, by: principal)
                let asks = ConfigurationPage.Asks(preview, visit.home, mark: mark, hasSecret: hasSecret)
                return .show(try await ConfigurationPage(console, visit, place, typed: form, asks: asks))
            }
            if let device = place.device {
                _ = try await console.fleet.setOwnLayer(
                    value, of: device.id.text, ifLayer: form.version, in: tenant, by: principal)
            } else {
                _ = try await console.fleet.setLayer(
                    value, at: place.reference, ifVersion: form.version, in: tenant, by: principal)
            }
            return .seeOther(place.address, done: .saved)
        } catch let refusal as Refusal
            where [.invalid, .conflict, .tooLarge, .forbidden, .notFound].contains(refusal.kind)
        {
            return .again(try await ConfigurationPage(console, visit, place, typed: form, refusal: refusal))
        }
    }
}

extension ConfigurationPage.Asks {
    init(_ preview: DesiredPreview, _ home: String, mark: String, hasSecret: Bool) {
        let reached = preview.devices == 1 ? "1 device" : "\(preview.devices.grouped) devices"
        effect =
            preview.changing == 0
            ? "It reaches \(reached), and none of them changes."
            : "It reaches \(reached); \(preview.changing.grouped) of them would change."
                + (preview.broken == 0
                    ? "" : " \(preview.broken.grouped) would no longer fit their model, so it can not be saved.")
        seen = mark
        verb = preview.broken == 0 ? "Save for \(reached)" : nil
        retype = hasSecret ? "Secrets are not sent back to you: type them once more, then save." : nil
        examples = preview.examples.map { device in
            .init(
                deviceName: device.name,
                deviceAddress: "\(home)/devices/\(device.name.percentEncoded)/configuration",
                changes: device.changes.prefix(ConsoleLimits.siteRows).map {
                    .init(
                        pointer: $0.pointer, from: ConfigurationPage.words($0.from),
                        to: ConfigurationPage.words($0.to))
                }, faults: device.faults.map { .init(place: $0.place, message: $0.message) })
        }
    }
}
