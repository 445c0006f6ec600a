import Base

/// One thing that a list or a record of the settings says.
struct SettingsCell: Sendable {
    var words: String?
    /// Where the words lead.
    var link: String?
    /// Something to be read letter by letter.
    var code: String?
    var mark: Badge?
    var at: Moment?
    var tags: [String] = []
    /// Something less important behind it.
    var aside: String?
    /// What it is, where no column's head says so.
    var caption: String?

    static func text(_ words: String?, link: String? = nil, aside: String? = nil) -> SettingsCell {
        SettingsCell(words: words, link: link, aside: aside)
    }
    static func time(_ time: Timestamp?, else words: String? = nil) -> SettingsCell {
        time.map { SettingsCell(at: Moment($0)) } ?? SettingsCell(words: words)
    }
    static func badge(_ badge: Badge) -> SettingsCell { SettingsCell(mark: badge) }
    static func tags(_ tags: [String], else words: String? = nil) -> SettingsCell {
        SettingsCell(words: tags.isEmpty ? words : nil, tags: tags)
    }
    static func code(_ code: String) -> SettingsCell { SettingsCell(code: code) }
}

/// A link that looks like a button, or a button of its own small form.
struct SettingsAct: Sendable {
    let verb: String
    /// Where the link leads; nil when it is a button.
    var goes: String?
    /// Where the button's form is sent.
    var posts: String?
    /// What the button says to the form's receiver.
    var value: String?
    /// `primary`, `danger` or nothing.
    var look = ""
    /// What it is about, for who does not see where it stands.
    var about = ""
    /// What the button's form says of what was seen.
    var seen: String?

    static func link(_ verb: String, _ address: String, _ look: String = "", about: String = "") -> SettingsAct {
        SettingsAct(verb: verb, goes: address, look: look, about: about)
    }
    static func button(
        _ verb: String, _ address: String, _ value: String, _ look: String = "", about: String = "",
        seen: String? = nil
    ) -> SettingsAct {
        SettingsAct(verb: verb, posts: address, value: value, look: look, about: about, seen: seen)
    }
}

/// A step of the way to a page.
struct SettingsCrumb: Sendable {
    let place: String
    let way: String
}
