import Base

@testable import Console

extension ConsoleSamples {
    private static let misfit = ErrorPage.Fault(place: "/a", message: "is wrong")
    private static let setting = ConfigurationField(
        id: "setting-0", name: "set:/a", label: "A", pointer: "/a", hint: "h", typed: "1", isText: true, isLong: true,
        isNumber: true,
        isSelect: true, choices: [.init(value: "1", label: "1", isOn: true)], isSecret: true, removal: "remove:/a",
        isRemoved: true)

    static let configuration: [any PageView] = [
        ConfigurationPage(
            title: "Configuration of m", crumbs: [.init(label: "Devices", address: "/d")],
            manyAddress: "/e",
            effective: .init(
                words: "Version 1.", badge: .good("Follows"),
                rows: [
                    .init(
                        pointer: "/a", value: "1", source: "model m", standing: .warning("Reported otherwise"),
                        reported: "2")
                ], isNone: true, misfits: [misfit], hasMisfits: true,
                layers: [.init(label: "model m", layerAddress: "/l", says: "1 member")]),
            editor: .init(
                heading: "Its own", reaches: "One.", action: "/c", version: "1", mode: "fields", fields: [setting],
                document: "{}", switchAddress: "/s", switchLabel: "Edit as JSON"),
            fault: "No.", faults: [misfit],
            asks: .init(
                effect: "1 device", seen: "s", verb: "Save", retype: "Again.",
                examples: [
                    .init(
                        deviceName: "m", deviceAddress: "/m", changes: [.init(pointer: "/a", from: "1", to: "2")],
                        faults: [misfit])
                ])),
        EditsPage(
            list: "/d", address: "/e", ways: [.init(value: "filter", label: "that match", isOn: true)], filter: "f",
            domain: "d", text: "device", change: "{}", fault: "No.", faults: [misfit],
            asks: .init(
                effect: "1 device", seen: "s", verb: "Save", retype: "Again.",
                examples: [
                    .init(
                        deviceName: "m", deviceAddress: "/m", changes: [.init(pointer: "/a", from: "1", to: "2")],
                        faults: [misfit])
                ]),
            lines: [
                .init(
                    who: "w", progress: "1 of 1", standing: .good("Finished"),
                    time: Moment(Timestamp(microseconds: 0)), refusals: "m: no")
            ], isNone: true),
    ]
}
