import Base

/// A form of the settings: what is asked, what it will do, and what was wrong with it the last time.
struct SettingsForm: PageView {
    static let template = "settings-form"
    static let menu: MenuItem? = .settings

    /// One line to type into.
    struct Input: Sendable {
        let type: String
        let value: String
        let isRequired: Bool
        let longest: Int
    }

    /// One of several.
    struct Option: Sendable {
        let value: String
        let label: String
        let isOn: Bool
    }

    /// Boxes to tick that belong together.
    struct Boxes: Sendable {
        let legend: String
        let boxes: [Box]
    }

    /// A box to tick.
    struct Box: Sendable {
        let value: String
        let label: String
        let meaning: String?
        let isOn: Bool
    }

    /// One thing that is asked. Exactly one of the last six is there.
    struct Field: Sendable {
        let id: String
        let label: String
        var hint: String?
        var wrong: String?
        var input: Input?
        var area: Input?
        var options: Options?
        var radios: Options?
        var groups: Groups?
        var rules: GroupRuleLines?
    }

    /// What a drop-down or a set of radio buttons offers.
    struct Options: Sendable {
        let options: [Option]
    }

    /// Groups of boxes.
    struct Groups: Sendable {
        let groups: [Boxes]
    }

    /// A field that is sent along.
    struct Hidden: Sendable {
        let name: String
        let value: String
    }

    let title: String
    let tabs: [SettingsTab]
    let crumbs: [SettingsCrumb]
    /// What sending it does.
    let effect: String?
    /// What is told beside it, line by line.
    var told: [String] = []
    var hasTold = false
    let action: String
    var fields: [Field]
    var hidden: [Hidden] = []
    let verb: String
    /// The class of the button.
    let look: String
    let back: String
    var fault: String?
    var faults: [ErrorPage.Fault] = []

    init(
        _ place: SettingsPlace, _ title: String, effect: String? = nil, action: String, fields: [Field], verb: String,
        isDangerous: Bool = false, back: String, crumb: SettingsCrumb? = nil, hidden: [(String, String)] = [],
        told: [String] = []
    ) {
        self.title = title
        tabs = place.tabs
        crumbs = [place.part, crumb].compactMap { $0 }
        self.effect = effect
        self.action = action
        self.fields = fields
        self.verb = verb
        look = isDangerous ? "primary danger" : "primary"
        self.back = back
        self.hidden = hidden.map { Hidden(name: $0.0, value: $0.1) }
        self.told = told
        hasTold = !told.isEmpty
    }

    /// The form once more, with what is wrong: beside the fields that it names, and above them.
    func refused(_ refusal: Refusal) -> SettingsForm {
        var form = self
        form.fault = refusal.message
        for fault in refusal.faults {
            let name = fault.place.split(separator: "/").first { $0 != "settings" }.map(String.init) ?? ""
            if let index = form.fields.firstIndex(where: { $0.id == name }) {
                form.fields[index].wrong = "This \(fault.message)."
            } else {
                form.faults.append(.init(place: fault.place, message: fault.message))
            }
        }
        return form
    }

    /// Does what the form asks for. What its sender can mend comes back with the form; what is absent, and a proof that
    /// is asked for first, are the shell's matter.
    func answering(_ act: () async throws -> Outcome) async throws -> Outcome {
        do {
            return try await act()
        } catch let refusal as Refusal where Self.isMendable(refusal) {
            return .again(refused(refusal))
        }
    }

    private static func isMendable(_ refusal: Refusal) -> Bool {
        switch refusal.kind {
        case .invalid, .conflict, .tooLarge, .limited: true
        case .forbidden: refusal.code != "signin.stepUp"
        case .unauthenticated, .notFound, .unavailable: false
        }
    }
}

extension SettingsForm.Field {
    /// A line of text.
    static func text(
        _ id: String, _ label: String, _ value: String? = nil, hint: String? = nil, type: String = "text",
        isRequired: Bool = false, longest: Int = 200
    ) -> Self {
        .init(
            id: id, label: label, hint: hint,
            input: .init(type: type, value: value ?? "", isRequired: isRequired, longest: longest))
    }

    /// Several lines of text.
    static func area(_ id: String, _ label: String, _ value: String? = nil, hint: String? = nil) -> Self {
        .init(
            id: id, label: label, hint: hint,
            area: .init(type: "", value: value ?? "", isRequired: false, longest: 100_000))
    }

    /// One of several, from a drop-down.
    static func choice(
        _ id: String, _ label: String, _ options: [(String, String)], chosen: String?, hint: String? = nil
    ) -> Self {
        .init(
            id: id, label: label, hint: hint,
            options: .init(options: options.map { .init(value: $0.0, label: $0.1, isOn: $0.0 == chosen) }))
    }

    /// One of a few, all in sight.
    static func radio(
        _ id: String, _ label: String, _ options: [(String, String)], chosen: String?, hint: String? = nil
    ) -> Self {
        .init(
            id: id, label: label, hint: hint,
            radios: .init(options: options.map { .init(value: $0.0, label: $0.1, isOn: $0.0 == chosen) }))
    }

    /// Any of several.
    static func boxes(_ id: String, _ label: String, _ groups: [SettingsForm.Boxes], hint: String? = nil) -> Self {
        .init(id: id, label: label, hint: hint, groups: .init(groups: groups))
    }

    /// One box to tick.
    static func box(_ id: String, _ label: String, _ meaning: String, isOn: Bool, hint: String? = nil) -> Self {
        boxes(
            id, label, [.init(legend: "", boxes: [.init(value: "yes", label: meaning, meaning: nil, isOn: isOn)])],
            hint: hint)
    }

    /// Why, for the audit log.
    static func reason(_ form: FormFields, isRequired: Bool = false) -> Self {
        text(
            "reason", "Reason", form.text("reason"),
            hint: isRequired
                ? "Stands in the audit log." : "Stands in the audit log; needed when administrators' rights change.",
            isRequired: isRequired, longest: 500)
    }

    /// The last day of something.
    static func until(_ id: String, _ label: String, _ form: FormFields, hint: String) -> Self {
        text(id, label, form.text(id), hint: hint, type: "date", longest: 10)
    }
}

extension FormFields {
    /// The end of the day that a field names on the organisation's clocks, nil when it is empty.
    func endOfDay(_ name: String) throws -> Timestamp? {
        guard let text = text(name) else { return nil }
        guard let next = TypedTime.day(text, after: 1) else {
            throw Refusal(
                .invalid, "date.invalid", "A day is written as 2026-11-21.",
                faults: [.init(place: name, message: "must be a day such as 2026-11-21")])
        }
        return next - .seconds(1)
    }
}

/// A secret, shown this once.
struct SecretPage: PageView {
    static let template = "settings-secret"
    static let menu: MenuItem? = .settings
    let title: String
    let tabs: [SettingsTab]
    let lead: String
    let secret: String
    let label: String
    /// What to do with it.
    let told: [String]
    let hasTold: Bool
    let until: Moment?
    let back: String

    init(
        _ place: SettingsPlace, _ title: String, _ lead: String, secret: String, label: String, until: Timestamp? = nil,
        told: [String] = [], back: String
    ) {
        self.title = title
        tabs = place.tabs
        self.lead = lead
        self.secret = secret
        self.label = label
        self.told = told
        hasTold = !told.isEmpty
        self.until = Moment(until)
        self.back = back
    }
}

/// The parts of the settings, each with what one finds there.
struct SettingsIndex: PageView {
    static let template = "settings"
    static let menu: MenuItem? = .settings
    let title = "Settings"
    let tabs: [SettingsTab]
}
