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

    static let views = shell + devices + entrance

    private static let shell: [any PageView] = [
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

    private static let rule = Rule(sentence: "15 characters or more", shape: "ok", state: ": satisfied")

    private static let entrance: [any PageView] = [
        SignInPage(place: "x", address: "a@b", organisation: "acme", next: "/", fault: "No.", hint: "Hm."),
        ChoosePage(
            title: "Set up", lead: "You", action: "/set-up", verb: "Go", link: "l", pending: "p",
            first: .init(name: "Ada", address: "a@b", organisation: "Acme"), askName: "Ada", rules: [rule], fault: "No."
        ),
        RulesPage(rules: [rule]), ForgottenPage(fault: "No."),
        OrganisationPage(
            organisation: "acme", isChosen: true, providers: [.init(name: "corp", host: "login.example")],
            servers: [.init(name: "office", user: "ann")], next: "/", nextQuery: "%2F", fault: "No."),
        ProviderPage(address: "https://login.example/a?b=c", host: "login.example"), ArrivalPage(address: "/t/acme"),
        CertificatePage(fingerprint: "00", names: "localhost", otherName: "other"),
        WelcomePage(title: "Welcome", lead: "Next?", connect: "/c", importing: "/i", overview: "/o"),
    ]

    private static let choice = DevicesPage.Choice(value: "a", label: "A", isOn: true)
    private static let hidden = DevicesPage.Hidden(name: "a", value: "1")

    private static let devices: [any PageView] = [
        DevicesPage(
            summary: "1 device", address: "/d", chips: [.init(label: "All", address: "/", isOn: true)],
            conditions: [.init(label: "Model", address: "/")], hasConditions: true, models: [choice], domains: [choice],
            hasModels: true, hasDomains: true, filter: "online", fault: "No.", hidden: [hidden], carried: [hidden],
            views: [.init(id: "1", name: "Mine", address: "/")], hasViews: true, query: "",
            heads: [.init(label: "Name", sortAddress: "/", order: "ascending")],
            columns: [.init(name: "model", label: "Model", isOn: true)], sizes: [choice],
            rows: [
                .init(
                    id: "1", name: "m", address: "/", badge: .good("Online"), state: "live",
                    cells: [.init(text: "x", time: moment, tags: ["site Berlin"])])
            ], hasRows: true, isEmpty: true, isNothingFound: true, next: "/n", first: "/f", count: "1",
            canManage: true, canRevoke: true, connectAddress: "/c", importAddress: "/i", bulkAddress: "/b",
            viewsAddress: "/v", preferencesAddress: "/p", formToken: "t"),
        ConfirmPage(title: "Sure?", effect: "Gone.", address: "/a", act: "delete", verb: "Delete", back: "/"),
        BulkPage(
            title: "Sure?",
            asks: .init(
                effect: "Gone.", address: "/a", hidden: [hidden], act: "revoke", verb: "Revoke", isDangerous: true),
            result: .init(summary: "1 of 1", faults: [ErrorPage.sample]), back: "/"),
        DeviceView(
            title: "m", id: "1", address: "/", list: "/", domain: "Plant", badge: .good("Online"),
            presenceState: "live",
            seen: moment, facts: [.init("Model", "x", time: moment, tags: ["a"])],
            credentials: [
                .init(kind: "Certificate", channel: "stream", print: "00", state: .good("Good"), until: moment)
            ], hasCredentials: true, canRead: true,
            series: [
                .init(
                    seriesName: "power", unit: "W", value: "1", at: moment, spark: .init(points: "0,0 1,1", words: "w"),
                    explorerAddress: "/e")
            ], hasSeries: true, isWaiting: true, explorer: "/e",
            reach: .init(people: [.init(who: "Ada", role: "admin", through: "through Plant", ends: moment)]),
            audit: .init(entries: [.init(code: "device.registered", actor: "Ada", outcome: "denied", time: moment)]),
            canManage: true, canSuspend: true, canResume: true, canConnect: true, canRevoke: true, canDelete: true),
        ConnectForm(
            list: "/", address: "/c", name: "m", fault: "No.", models: ["x"], hasModels: true, domains: [choice],
            hasDomains: true),
        BlockPage(title: "Connect m", list: "/", address: "/", name: "m", block: "echo", until: moment),
        ImportPage(
            list: "/", address: "/i", text: "name", fault: "No.", isFirst: true,
            mapping: .init(
                columns: [.init(heading: "name", field: "column-0", targets: [.init(target: "name", isOn: true)])],
                lines: [.init(cells: ["m"])], count: "1", faults: [ErrorPage.sample], hasFaults: true),
            done: .init(words: "1", tokens: "t", until: moment)),
        TelemetryPage(
            summary: "m", address: "/t", device: "m", devices: ["m"], spans: [choice], isTable: true,
            tableLabel: "Table", tableAddress: "/", csv: "/c", fault: "No.", hasSeries: true,
            chart: .init(
                points: "/p", library: "/u", styles: "/s", charts: "/j",
                series: [
                    .init(
                        seriesName: "power", unit: "W", low: "1", mean: "2", high: "3", latest: "2", line: "0,0",
                        words: "w")
                ]), table: .init(heads: ["power"], rows: [.init(time: moment, cells: ["1"])], note: "n"), isEmpty: true,
            emptyTitle: "None", emptyText: "None"),
    ]
}

extension ErrorPage {
    fileprivate static var sample: Fault { Fault(place: "line 1", message: "is wrong") }
}
