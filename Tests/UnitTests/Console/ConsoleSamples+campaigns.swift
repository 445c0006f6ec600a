import Base

@testable import Console

extension ConsoleSamples {
    private static let chip = DevicesPage.Chip(label: "All", address: "/t", isOn: true)
    private static let choice = DevicesPage.Choice(value: "v", label: "l", isOn: true)
    private static let part = OverviewPage.Part(shape: "ok", from: 0, length: 1000)
    private static let group = CampaignPage.Group(
        name: "Group 1", badge: .good("Through"), progress: "1 of 1", parts: [part],
        numbers: [.init(words: "1 succeeded", tasksAddress: "/t")], tasks: "/t")

    static let campaigns: [any PageView] = [
        CampaignsPage(
            tabs: [chip], states: [chip],
            rows: [
                .init(
                    title: "system 2", address: "/c", badge: .good("Under way"), progress: "1 of 2", parts: [part],
                    groups: "1 of 2", creator: "Ada", created: moment)
            ], hasRows: true, isEmpty: true, isNothingFound: true, new: "/n", address: "/t", next: "/2", first: "/1"),
        CampaignPage(
            title: "system 2", badge: .critical("Paused by itself"), summary: "ordered by Ada", created: moment,
            why: "Too many failed.", progress: "1 of 2", parts: [part], isOpen: true, groups: [group], rollback: group,
            facts: [.init("Devices", "all", time: moment, tags: ["y"])],
            acts: [.init(label: "Pause…", address: "/p", look: "")], hasActs: true, list: "/l"),
        CampaignForm(
            action: "/n", releases: [choice], hasReleases: true, name: "n", filter: "f", groups: "5, 95", success: "90",
            error: "20", sample: "5", starts: "2027-01-01T00:00", from: "22:00", to: "04:00", days: [choice],
            life: "7", timeout: "60", retries: "0", takesNewcomers: true, needsSecond: true, zone: "UTC", fault: "No.",
            faults: [.init(place: "Groups", message: "are wrong")], filterFault: FilterFault(in: "name ="),
            asks: .init(
                effect: "For 2 devices.", groups: [.init(name: "Group 1", words: "1 device")], verb: "Roll it out",
                seen: "s"), list: "/l"),
    ]
}
