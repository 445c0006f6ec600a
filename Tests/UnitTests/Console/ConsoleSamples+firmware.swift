import Base

@testable import Console

extension ConsoleSamples {
    private static let chip = DevicesPage.Chip(label: "All", address: "/t", isOn: true)
    private static let choice = DevicesPage.Choice(value: "v", label: "l", isOn: true)
    private static let file = FileLine(
        id: "i", name: "gateway.swu", about: "Update, 1 MiB", signature: .good("Signed: k"), sha256: "00", sha1: "11",
        md5: "22", content: "/c")
    private static let upload = UploadBox(begin: "/b", then: "/then", reloads: "files")

    static let firmware: [any PageView] = [
        FirmwarePage(
            tabs: [chip],
            components: [
                .init(
                    name: "system", summary: "2 versions",
                    newest: .init(
                        version: "2", address: "/r", behind: .init(words: "3 behind", devices: "/d", update: "/u"),
                        unknown: .init(words: "1 unknown", devices: "/d", update: "/u"),
                        isEverywhere: true),
                    bars: [
                        .init(
                            version: "1", count: "3", share: "10 %", shape: "ok", length: 100, note: "behind",
                            address: "/d")
                    ], hasBars: true, more: "1 version more is")
            ], hasComponents: true, moreComponents: "1 component more is", csv: "/c", new: "/n", releases: "/r"),
        ReleasesPage(
            tabs: [chip], states: [chip], component: "system", components: ["system"], state: "draft",
            rows: [
                .init(
                    title: "system 2", address: "/r", badge: .good("Published"), counter: "2", files: "gateway.swu",
                    hardware: ["gw-1"], creator: "Ada", time: moment)
            ], hasRows: true, isEmpty: true, isNothingFound: true, new: "/n", address: "/t", next: "/2", first: "/1"),
        ReleasePage(
            title: "system 2", badge: .warning("Draft"), summary: "No device gets it.",
            facts: [.init("Hardware", "x", time: moment, tags: ["gw-1"])],
            notes: "New.", artifacts: [file], hasArtifacts: true, sbom: file,
            devices: .init(words: "1 device has it", address: "/d"),
            acts: [.init(label: "Publish…", address: "/p", look: "primary")],
            draft: .init(files: "/f", choices: [choice], hasChoices: true, upload: upload), fault: "No.", list: "/l",
            address: "/r", script: "/s"),
        ReleaseForm(
            title: "New release", action: "/n", component: "system", components: ["system"], version: "2",
            counter: "2", hardware: "gw-1", notes: "New.", supportEnds: "2027-01-01", zone: "UTC", fault: "No.",
            faults: [.init(place: "Version", message: "is wrong")], verb: "Save", list: "/l", back: "/b"),
        FilesPage(
            tabs: [chip],
            rows: [
                .init(
                    name: "gateway.swu", about: "1 MiB", badge: .off("Whole"), sha256: "00", created: moment,
                    content: "/c", delete: "/d", verb: "Delete…")
            ], hasRows: true, upload: upload, address: "/f", next: "/2", first: "/1", script: "/s"),
        FirmwareConfirmPage(
            title: "Publish?", effect: "It can be installed.", fault: "No.", address: "/p", verb: "Publish",
            look: "primary", back: "/b"),
    ]
}
