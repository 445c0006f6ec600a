import Base

/// A list of one part of the settings, a page at a time.
struct SettingsList: PageView {
    static let template = "settings-list"
    static let menu: MenuItem? = .settings

    /// One line: what it is about, what is said of it, what can be done with it.
    struct Row: Sendable {
        let name: SettingsCell
        var cells: [SettingsCell]
        var rowActs: [SettingsAct] = []

        /// The line with its columns' heads beside its cells, for screens too narrow for columns.
        func captioned(_ heads: [String]) -> Row {
            var row = self
            for (index, head) in heads.dropFirst().enumerated() where index < row.cells.count {
                row.cells[index].caption = head
            }
            return row
        }
    }

    /// A choice of what the list shows.
    struct Filter: Sendable {
        let choice: String
        let leads: String
        let isChosen: Bool
    }

    let title: String
    let lead: String
    let tabs: [SettingsTab]
    var acts: [SettingsAct] = []
    var facts: [SettingsRecord.Fact] = []
    var hasFacts = false
    var filters: [Filter] = []
    var hasFilters = false
    let heads: [String]
    let rows: [Row]
    let hasRows: Bool
    /// What stands there when the list is empty.
    let nothing: String
    let hasActs: Bool
    let hasRowActs: Bool
    var next: String?
    var first: String?

    init(
        _ place: SettingsPlace, _ title: String, _ lead: String, heads: [String], rows: [Row], nothing: String,
        acts: [SettingsAct] = [], facts: [SettingsRecord.Fact] = [], filters: [Filter] = [], next: String? = nil
    ) {
        self.title = title
        self.lead = lead
        tabs = place.tabs
        self.acts = acts
        self.facts = facts
        hasFacts = !facts.isEmpty
        self.filters = filters
        hasFilters = !filters.isEmpty
        self.heads = heads
        self.rows = rows.map { $0.captioned(heads) }
        hasRows = !rows.isEmpty
        self.nothing = nothing
        hasActs = !acts.isEmpty
        hasRowActs = rows.contains { !$0.rowActs.isEmpty }
        self.next = next
        first = place.first
    }
}
