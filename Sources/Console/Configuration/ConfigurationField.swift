import Base
import Fleet

/// One setting in the form of a layer.
struct ConfigurationField: Sendable {
    /// A value that can be chosen.
    struct Choice: Sendable {
        let value: String
        let label: String
        let isOn: Bool
    }

    let id: String
    let name: String
    let label: String
    let pointer: String
    let hint: String
    let typed: String
    let isText: Bool
    /// Whether it has several lines.
    let isLong: Bool
    let isNumber: Bool
    let isSelect: Bool
    let choices: [Choice]
    /// A secret: what is typed in is sent, never shown.
    let isSecret: Bool
    /// The box that takes a secret away, when one is set here.
    let removal: String?
    /// Whether that box was ticked.
    let isRemoved: Bool
}

extension ConfigurationField {
    init(_ field: SchemaField, number: Int, _ place: ConfigurationPlace, _ form: ConfigurationForm?) {
        id = "setting-\(number)"
        name = ConfigurationForm.name(field.path)
        label = field.title
        pointer = field.path.pointer
        let own = place.layer.member(at: field.path)
        let above = place.inherited[field.path.pointer]
        let isSet = own == ["$secret": "set"]
        var hints = field.note.map { [$0] } ?? []
        if field.isSecret {
            hints.append(isSet ? "Set here; empty keeps it." : "Nobody sees it again, but the device.")
        }
        if let above, own == nil { hints.append("Empty: \(ConfigurationPage.words(above)), as said above it.") }
        if own == .null { hints.append("Taken away here; JSON can change that.") }
        hint = hints.joined(separator: " ")
        isSecret = field.isSecret
        removal = isSet ? ConfigurationForm.removal(field.path) : nil
        isRemoved = form?.fields.has(ConfigurationForm.removal(field.path)) ?? false
        let shown = ConfigurationForm.shown(own, field)
        let typed = field.isSecret ? "" : form?.typed(field.path) ?? shown
        self.typed = typed
        if case .choice(let values) = field.entry, !field.isSecret {
            isSelect = true
            var texts = values.map(SchemaField.text(of:))
            // What is there can be kept, also when the schema no longer knows it.
            for present in [shown, typed] where !present.isEmpty && !texts.contains(present) { texts.append(present) }
            choices =
                [Choice(value: "", label: "– not said here –", isOn: typed.isEmpty)]
                + texts.filter { !$0.isEmpty }.map { Choice(value: $0, label: $0, isOn: $0 == typed) }
        } else {
            (isSelect, choices) = (false, [])
        }
        isNumber = field.entry == .number && !isSecret
        isLong = !isSelect && !isNumber && !isSecret && typed.contains { $0.isNewline }
        isText = !isSelect && !isNumber && !isSecret && !isLong
    }
}
