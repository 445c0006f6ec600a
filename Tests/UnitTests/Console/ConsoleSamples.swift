import Base

@testable import Console

/// One full sample of each view: every list has an element, every optional a value.
enum ConsoleSamples {
    static let moment = Moment(Timestamp(microseconds: 1_800_000_000_000_000))

    static let frame = Frame(
        title: "Title", styles: "/s", script: "/j", icons: "/i", mark: "/m",
        entries: [.init(label: "Overview", address: "/t/acme", icon: "overview", isCurrent: true)],
        places: [.init(label: "Acme", address: "/t/acme", isCurrent: true)], hasPlaces: true, tenantName: "Acme",
        tenantAddress: "/t/acme", isDemo: true, zone: "Europe/Berlin", searchAddress: "/t/acme/devices",
        bell: .init(label: "3 alerts", address: "/t/acme/alerts", count: "3"),
        person: .init(name: "Ada", initials: "A", formToken: "token"), notice: .init(text: "Saved.", icon: "check"),
        live: "/t/acme/live")

    static let views =
        shell + devices + entrance + factors + profile + settings + audit + sites + bulk + tasks + configuration
        + firmware + campaigns + alerts + map
        + reports

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
            ], isEmpty: true, canConnect: true, connectAddress: "/c", importAddress: "/i", removeDemo: "/r",
            beginDemo: "/b"),
    ]

    private static let rule = Rule(sentence: "15 characters or more", shape: "ok", state: ": satisfied")

    private static let entrance: [any PageView] = [
        SignInPage(
            place: "x", address: "a@b", organisation: "acme", next: "/", fault: "No.", ended: "You were.", hint: "Hm.",
            takesPasskeys: true),
        ChoosePage(
            title: "Set up", lead: "You", action: "/set-up", verb: "Go", link: "l", pending: "p", next: "/",
            first: .init(
                name: "Ada", address: "a@b", organisation: "Acme", demo: "Demo",
                zones: [.init(name: "UTC", isChosen: true)]), askName: "Ada",
            rules: [rule], fault: "No."
        ),
        RulesPage(rules: [rule]), ForgottenPage(sends: true, fault: "No."), ForgottenPage(sends: false, fault: "No."),
        OrganisationPage(
            organisation: "acme", isChosen: true, providers: [.init(name: "corp", host: "login.example")],
            servers: [.init(name: "office", user: "ann")], next: "/", nextQuery: "%2F", fault: "No."),
        ProviderPage(address: "https://login.example/a?b=c", host: "login.example"), ArrivalPage(address: "/t/acme"),
        CertificatePage(fingerprint: "00", names: "localhost", otherName: "other"),
        WelcomePage(title: "Welcome", lead: "Next?", connect: "/c", importing: "/i", demo: "/d", overview: "/o"),
        DemoPage(title: "Demo", told: ["So."], address: "/d", verb: "Begin", look: "primary", back: "/b"),
    ]

    private static let carried = HiddenField(name: "pending", value: "p")

    private static let factors: [any PageView] = [
        ProofPage(
            title: "One more step", lead: "Prove it.", action: "/sign-in/factor", hidden: [carried], fault: "No.",
            passkey: .init(options: "/o", elsewhere: "https://fleet.example.com"),
            code: .init(
                method: "sms", label: "Code", hint: "Six", mode: "text", autocomplete: "one-time-code",
                sent: .init(numberEnd: "789", seconds: "100"),
                again: .init(telephone: "1", numberEnd: "789", pause: "30")),
            send: .init(telephone: "1", numberEnd: "789", caution: "Weak."), password: true,
            others: [.init(method: "totp", act: "choose", telephone: "", label: "Authenticator", detail: "Six digits")],
            hasOthers: true, lost: "Ask.", back: "/"),
        EnrolPage(
            title: "Set up", lead: "Choose.", action: "/sign-in/enrol", hidden: [carried], name: "Key", fault: "No.",
            choices: [.init(method: "totp", label: "Authenticator", detail: "A program", isWeak: false)],
            hasChoices: true, passkey: .init(options: "/o", elsewhere: "https://fleet.example.com"),
            authenticator: .init(
                factor: "1", secret: "ABCD", grouped: "ABCD", address: "otpauth://x", picture: "data:image/svg+xml,x"),
            telephone: .init(number: "+49", caution: "Weak."),
            sent: .init(factor: "1", number: "+49", numberEnd: "789", seconds: "100", pause: "30"),
            canChooseAgain: true, back: "/", leave: "Back"),
        AgainPage(action: "/a", fields: [carried], back: "/"),
        RecoveryPage(["ABCD"], of: "fleet", action: "/a", hidden: [carried], next: "/"),
    ]

    private static let profile: [any PageView] = [
        ProfilePage(
            name: "Ada", address: "ada@example.com", organisation: "Acme",
            factors: [
                .init(
                    id: "1", name: "Laptop", method: "Passkey", detail: "number that ends in 789", created: moment,
                    used: moment, address: "/profile/factors/1")
            ], hasFactors: true, demanded: "A passkey.", recovery: "10 are left.", hasPassword: true, fault: "No."),
        ProfilePasswordPage(account: "ada@example.com", rules: [rule], fault: "No."),
        ProfileConfirmPage(
            title: "Sure?", effect: "Gone.", address: "/a", act: "remove", verb: "Remove", back: "/",
            reason: .init(typed: "x", fault: "No.")),
        SessionsPage(
            sessions: [
                .init(
                    id: "1", browser: "Firefox on Linux", address: "192.0.2.1", factors: "passkey", opened: moment,
                    used: moment, isCurrent: true)
            ], hasOthers: true),
        OwnReachPage(
            places: [
                .init(
                    id: "acme", name: "Acme", address: "/t/acme",
                    devices: .init(count: "1 device", address: "/t/acme/devices"),
                    rights: [
                        .init(
                            role: "admin", through: "through Acme", ends: moment, permissions: ["device.read"],
                            count: "1 permission")
                    ], hasRights: true)
            ], isEmpty: true),
        ProgramsPage(
            programs: [.init(id: "1", name: "App", scope: "device.read", since: moment, used: moment, ends: moment)],
            hasPrograms: true),
    ]

    private static let choice = DevicesPage.Choice(value: "a", label: "A", isOn: true)
    private static let hidden = DevicesPage.Hidden(name: "a", value: "1")

    private static let devices: [any PageView] = [
        DevicesPage(
            summary: "1 device", address: "/d", chips: [.init(label: "All", address: "/", isOn: true)],
            conditions: [.init(label: "Model", address: "/")], hasConditions: true, models: [choice], domains: [choice],
            hasModels: true, hasDomains: true, domainPath: .init(path: "plant"), filter: "online",
            fault: FilterFault(message: "No.", before: "a ", wrong: "b", after: " c"), hidden: [hidden],
            carried: [hidden],
            views: [.init(id: "1", name: "Mine", address: "/")], hasViews: true, query: "",
            heads: [.init(label: "Name", sortAddress: "/", order: "ascending")],
            columns: [.init(name: "model", label: "Model", isOn: true)], sizes: [choice],
            rows: [
                .init(
                    id: "1", name: "m", address: "/", badge: .good("Online"), state: "live",
                    cells: [.init(text: "x", time: moment, tags: ["site Berlin"])])
            ], hasRows: true, isEmpty: true, isNothingFound: true, next: "/n", first: "/f", count: "1",
            canManage: true, canRevoke: true, connectAddress: "/c", importAddress: "/i", bulkAddress: "/b",
            orderAddress: "/o",
            viewsAddress: "/v", preferencesAddress: "/p", formToken: "t"),
        ConfirmPage(
            title: "Sure?", effect: "Gone.", address: "/a", act: "delete", verb: "Delete", back: "/",
            reason: .init(typed: "x", fault: "No.")),
        BulkPage(
            title: "Sure?",
            asks: .init(
                effect: "Gone.", address: "/a", hidden: [hidden], act: "revoke", verb: "Revoke", isDangerous: true,
                places: .init(paths: ["plant"], path: "plant", fault: "No.")),
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
            configuration: .init(
                configurationAddress: "/c", configurationWords: "Version 1.", configurationBadge: .good("Follows")),
            work: .init(
                tasks: [.init(words: "Start again", taskAddress: "/t", badge: .good("Succeeded"), time: moment)],
                hasTasks: true, orderAddress: "/o"),
            firmware: .init(
                versions: [
                    .init(
                        componentName: "system", version: "1", releaseAddress: "/r", standing: .warning("Behind 2"),
                        updateAddress: "/u")
                ], hasVersions: true,
                campaigns: [.init(campaignTitle: "system 2", campaignAddress: "/c", badge: .good("Under way"))],
                hasCampaigns: true),
            heartbeat: .init(badge: .good("Calls"), facts: [.init("Calls", "x", time: moment, tags: ["a"])]),
            alerts: .init(
                openAlerts: [.init(words: "Silent", alertAddress: "/a", badge: .critical("Critical"), time: moment)],
                hasOpenAlerts: true),
            reach: .init(holders: [holder], grantAddress: "/g"),
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
            done: .init(words: "1", tokens: "t", until: moment, download: "/d")),
        TelemetryPage(
            summary: "m", address: "/t", device: "m", devices: ["m"], spans: [choice], isTable: true,
            tableLabel: "Table", tableAddress: "/", csv: "/c", fault: "No.", hasSeries: true,
            chart: .init(
                points: "/p", library: "/u", styles: "/s", charts: "/j",
                series: [
                    .init(
                        seriesName: "power", unit: "W", low: "1", mean: "2", high: "3", latest: "2", line: "0,0",
                        words: "w")
                ]),
            table: .init(
                heads: ["power"], rows: [.init(time: moment, text: "08:30:05", hasSeconds: true, cells: ["1"])],
                note: "n"), isEmpty: true,
            emptyTitle: "None", emptyText: "None"),
    ]
}

extension ErrorPage {
    fileprivate static var sample: Fault { Fault(place: "line 1", message: "is wrong") }
}
