import Base

@testable import Console

extension ConsoleSamples {
    private static let part = OverviewPage.Part(shape: "ok", from: 0, length: 1000)
    private static let chip = DevicesPage.Chip(label: "All", address: "/t", isOn: true)

    static let tasks: [any PageView] = [
        OperationsPage(
            states: [chip],
            rows: [
                .init(
                    title: "Again", address: "/o", type: "Start again", badge: .good("Finished"), progress: "1 of 1",
                    parts: [part], creator: "Ada", created: moment)
            ], hasRows: true, isEmpty: true, isNothingFound: true, order: "/n", address: "/t", next: "/2", first: "/1"),
        OperationPage(
            title: "Again", summary: "Start again", badge: .good("Finished"), created: moment, starts: moment,
            parts: [part], progress: "1 of 1", isOpen: true,
            stats: [.init(label: "Failed", count: "1", shape: "critical", note: "show", address: "/f")], find: "m",
            shown: "failed",
            rows: [
                .init(
                    device: "m", deviceAddress: "/d", address: "/k", badge: .critical("Failed"), attempt: "1",
                    changed: moment, detail: "no power")
            ], hasRows: true, acts: [.init(label: "Pause", address: "/p", isDangerous: true)], csv: "/c", list: "/t",
            address: "/o", next: "/2", first: "/1"),
        TaskPage(
            title: "Again: m", badge: .good("Running"), device: "m", deviceAddress: "/d", attempt: "1", number: "11",
            created: moment, due: moment, history: [.init(time: moment, word: "Queued", code: "3", details: ["well"])],
            cancel: "/c", operation: "/o", list: "/t"),
        OrderPage(
            action: "/t/new", types: [.init(value: "reboot", label: "Start again", isOn: true)], release: "r",
            name: "n",
            filter: "f", starts: "2027-01-01T00:00", zone: "UTC", fault: "No.",
            filterFault: FilterFault(in: "name ="),
            asks: .init(
                effect: "1 device", verb: "Give it", seen: "s",
                fields: [
                    .init(
                        id: "to", what: "To", hint: "A number.", typed: "x", isLine: true, isSecret: true,
                        isArea: true, isRequired: true)
                ]),
            list: "/t"),
        OperationConfirmPage(
            title: "Pause", effect: "None.", address: "/p", act: "pause", verb: "Pause", back: "/o",
            reason: .init(typed: "x", fault: "No.")),
    ]
}
