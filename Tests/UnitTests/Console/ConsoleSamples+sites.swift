import Base

@testable import Console

extension ConsoleSamples {
    static let holder = HolderLine(
        who: "Ada", whoAddress: "/p", role: "admin", through: "direct", kind: "direct", ends: moment,
        changeAddress: "/c", endAddress: "/e")
    private static let choice = DevicesPage.Choice(value: "a", label: "A", isOn: true)
    private static let hidden = DevicesPage.Hidden(name: "a", value: "1")
    private static let tab = SitesTab(label: "Tree", address: "/", isOn: true)
    private static let preview = ReachPreview(
        sentence: "1 gains", persons: [.init(who: "Ada", lost: ["device.read"], gained: ["device.manage"])],
        note: "and 2 more")
    private static let share = SharesPage.Line(
        words: "viewer", place: "Plant", badge: .good("Accepted"), ends: moment, acceptAddress: "/a",
        declineAddress: "/d", endAddress: "/e")

    static let bulk: [any PageView] = [
        BulkRunPage(
            title: "Suspend", badge: .good("Running"), words: "Suspend", began: moment, through: 500,
            progress: "1 of 2",
            fault: "No.", faults: [.init(place: "m", message: "No.")], hasFaults: true, more: "and 2 more",
            isRunning: true, address: "/r", stopAddress: "/s", resumeAddress: "/g", list: "/d", all: "/b"),
        BulkListPage(
            lines: [
                .init(words: "Suspend", runAddress: "/r", progress: "1 of 2", badge: .good("Running"), time: moment)
            ], isNone: true, older: "/o", list: "/d"),
    ]

    static let map: [any PageView] = [
        MapPage(
            summary: "1 device", unplaced: .init(count: "1 device", unplacedAddress: "/u"), viewBox: "0 0 1 1",
            land: "/l", words: "Map", fontSize: "1",
            marks: [
                .init(
                    x: "1", y: "1", radius: "1", number: "2", numberY: "1", kind: "many", label: "2 devices",
                    markAddress: "/m", listAddress: "/l", position: "1° N")
            ], hasMarks: true, ways: [.init(label: "Zoom in", icon: "plus", wayAddress: "/z")], isEmpty: true),
        MapListPage(
            title: "Here", summary: "1 device", mapAddress: "/m",
            lines: [.init(deviceName: "m", deviceAddress: "/d", position: "1° N", badge: .good("Online"))],
            isNone: true, next: "/n"),
    ]

    static let sites: [any PageView] = [
        SitesPage(
            tabs: [tab], summary: "1 domain", address: "/s", script: "/j", find: "x",
            search: .init(matches: [.init(label: "Plant", address: "/p")], note: "1 found."),
            rows: [
                .init(
                    id: "1", name: "Plant", address: "/", isSelected: true,
                    toggle: .init(toggleAddress: "/", toggleLabel: "Open", icon: "next", expanded: "false"),
                    count: .init(text: "1", listAddress: "/d"), moveAddress: "/m", opens: true,
                    closings: [.init(more: .init(words: "9 more", moreAddress: "/"))])
            ], isEmpty: true, hasMoves: true,
            place: .init(
                id: "1", name: "Plant", crumbs: [.init(label: "Acme", address: "/")], hasCrumbs: true, facts: "None.",
                devices: .init(
                    heading: "Devices", listAddress: "/d", listLabel: "1 device",
                    lines: [
                        .init(
                            deviceID: "1", deviceName: "m", deviceAddress: "/m", badge: .good("Online"), state: "live",
                            deviceMoveAddress: "/m")
                    ], isNone: true, nextDevices: "/n"),
                below: .init(
                    heading: "1 domain",
                    lines: [
                        .init(
                            domainID: "1", domainName: "Hall", domainAddress: "/", domainCount: "1 device",
                            domainMoveAddress: "/m")
                    ], nextBelow: "/n"),
                access: .init(
                    summary: "1 person", holders: [holder], isNobody: true, grantAddress: "/g", shareAddress: "/s"),
                acts: .init(
                    createAddress: "/c", renameAddress: "/r", moveDomainAddress: "/m", deleteAddress: "/d"),
                configurationAddress: "/g"),
            undo: .init(undoAddress: "/u", words: "Moved.")),
        MovePage(
            title: "Move", address: "/m", back: "/",
            picker: .init(
                find: "x", hidden: [hidden], targets: [.init(label: "Plant", targetAddress: "/t")], pickerNote: "1"),
            asks: .init(from: "A", to: "B", preview: preview, fields: [hidden], otherAddress: "/o")),
        GrantPage(
            title: "Give access", address: "/g", back: "/", placeLabel: "Plant", hidden: [hidden], holder: "ada",
            group: "crew", people: ["ada"], groups: [choice], hasGroups: true, roles: [choice], until: "2027",
            reason: "x", fault: "No.",
            asks: .init(words: "viewer", preview: preview, fields: [hidden], verb: "Give", second: "Two.")),
        GrantEndPage(
            title: "End?", address: "/e", back: "/", words: "viewer", preview: preview, reason: "x", fault: "No."),
        ChangesPage(
            tabs: [tab],
            waiting: [
                .init(what: "Give", why: "x", proposer: "ada", until: moment, address: "/c")
            ], hasWaiting: true,
            lines: [.init(what: "Moved", who: "ada", time: moment, undoAddress: "/u", state: "undone")], isEmpty: true,
            older: "/o"),
        PeoplePage(
            tabs: [tab],
            lines: [.init(name: "ada", address: "/", kind: "person", badge: .good("Active"), time: moment)],
            isNone: true, next: "/n", first: "/f"),
        PersonPage(
            title: "ada", peopleAddress: "/p",
            lines: [.init(placeName: "Plant", placeAddress: "/", role: "viewer", by: "a share", ends: moment)],
            isNothing: true,
            devices: .init(
                count: "1", lines: [.init(deviceName: "m", deviceAddress: "/m", badge: .good("Online"))],
                nextDevices: "/n")),
        SharesPage(
            tabs: [tab], given: [share], taken: [share], isNoneGiven: true, isNoneTaken: true,
            offer: .init(
                address: "/s", to: "acme", holder: "operator", place: "plant", device: "m", until: "2027",
                roles: [choice], reason: "x", second: "Two.", fault: "No.")),
    ]
}
