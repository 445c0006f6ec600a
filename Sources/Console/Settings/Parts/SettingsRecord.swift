import Base

/// One thing of the settings: what is known of it, what belongs to it, what can be done with it.
struct SettingsRecord: PageView {
    static let template = "settings-record"
    static let menu: MenuItem? = .settings

    /// One thing that is known.
    struct Fact: Sendable {
        let label: String
        let cell: SettingsCell

        init(_ label: String, _ cell: SettingsCell) {
            self.label = label
            self.cell = cell
        }
    }

    /// Several things of one sort, side by side.
    struct Table: Sendable {
        let columns: [String]
        let tableRows: [SettingsList.Row]

        init(columns: [String], tableRows: [SettingsList.Row]) {
            self.columns = columns
            self.tableRows = tableRows.map { $0.captioned(columns) }
        }
    }

    /// Things that belong to it.
    struct Panel: Sendable {
        let anchor: String
        let heading: String
        var explains: String?
        var panelFacts: [Fact] = []
        var hasPanelFacts = false
        var lines: [SettingsList.Row] = []
        var hasLines = false
        /// What stands there when there are none.
        var none: String?
        var panelActs: [SettingsAct] = []
        var table: Table?
        /// Text to be copied.
        var text: String?

        init(
            _ anchor: String, _ heading: String, explains: String? = nil, facts: [Fact] = [],
            lines: [SettingsList.Row] = [], none: String? = nil, acts: [SettingsAct] = [], table: Table? = nil,
            text: String? = nil
        ) {
            self.anchor = anchor
            self.heading = heading
            self.explains = explains
            panelFacts = facts
            hasPanelFacts = !facts.isEmpty
            self.lines = lines
            hasLines = !lines.isEmpty
            self.none = lines.isEmpty && facts.isEmpty && table == nil ? none : nil
            panelActs = acts
            self.table = table
            self.text = text
        }
    }

    let title: String
    let tabs: [SettingsTab]
    let crumbs: [SettingsCrumb]
    var state: Badge?
    var lead: String?
    var acts: [SettingsAct] = []
    var panels: [Panel] = []

    init(
        _ place: SettingsPlace, _ title: String, lead: String? = nil, state: Badge? = nil, acts: [SettingsAct] = [],
        panels: [Panel]
    ) {
        self.title = title
        tabs = place.tabs
        crumbs = [place.part].compactMap { $0 }.filter { $0.place != title }
        self.state = state
        self.lead = lead
        self.acts = acts
        self.panels = panels
    }
}
