import Base

@testable import Console

/// One full sample of each view: every list has an element, every optional a value.
enum ConsoleSamples {
    static let moment = Moment(Timestamp(microseconds: 1_800_000_000_000_000))

    static let frame = Frame(
        title: "Title", styles: "/s", script: "/j", icons: "/i", mark: "/m",
        entries: [.init(label: "Overview", address: "/t/acme", icon: "overview", isCurrent: true)],
        places: [.init(label: "Acme", address: "/t/acme", isCurrent: true)], hasPlaces: true, tenantName: "Acme",
        tenantAddress: "/t/acme", isDemo: true, searchAddress: "/t/acme/devices",
        person: .init(name: "Ada", initials: "A", formToken: "token"), notice: .init(text: "Saved.", icon: "check"),
        live: "/t/acme/live")

    static let views: [any PageView] = [
        ErrorPage(
            .init(.invalid, "x", "No.", faults: [.init(place: "name", message: "is missing")]), request: "1", home: "/"),
        Continuation(address: "/t/acme"),
        ConsentPage(
            client: "App", destination: "app.example", address: "192.0.2.1", permissions: ["device.read"],
            isEverything: true, isOpenID: true, action: "/consent", subject: "a=b"),
        ConnectPage(code: "BCDF-GHJK", fault: "Wrong."),
        ConsentDonePage(title: "Done", message: "In.", address: "https://app.example/cb?code=x"),
        OverviewPage(
            summary: "1 device",
            health: .init(
                meterLabel: "Online 1", parts: [.init(shape: "ok", from: 0, length: 1000)],
                stats: [.init(label: "Online", count: "1", shape: "ok", note: "now", address: "/")]),
            lists: [
                .init(
                    id: "a", heading: "Newest", address: "/", more: "All",
                    devices: [.init(name: "m", address: "/", badge: .good("Online"), time: moment)], hasDevices: true,
                    nothing: "None")
            ], isEmpty: true, canConnect: true, connectAddress: "/c", importAddress: "/i"),
    ]
}
