public import Base

/// A condition on devices, written by people and programs in one small language.
///
/// ```
/// status = active and (label.site = "Berlin" or not online) and name ~ meter
/// name = gw-* and model = gateway and domain = plants/north
/// serial = A-1007
/// ```
///
/// Fields: `name`, `state`, `status`, `model`, `domain` (with all below it), `label.<key>`, `component.<name>`,
/// `capability`, `online`, `enrolled`, `drift`, `heartbeat`, and the kinds of hardware identifiers. `=` and `!=` compare, a `*` at
/// the end of a name means "begins with", `~` finds a part of the name in either case. `label.<key>` and
/// `component.<name>` alone mean that it is there; `online` alone means that it is true. `drift` is true
/// of devices that report something else than they are wanted to be. `state` is what lists show:
/// online, offline, waiting, suspended, revoked; `heartbeat` is calling, late or silent. `not`, `and` and `or` bind in
/// this order, and brackets group.
public struct DeviceFilter: Hashable, Sendable {
    indirect enum Expression: Hashable, Sendable {
        case term(Term)
        case not(Expression)
        case all([Expression])
        case any([Expression])
    }

    enum Term: Hashable, Sendable {
        case name(Name)
        case namePrefix(String)
        case nameContains(String)
        case status(DeviceStatus)
        case model(String)
        case domain(String)
        case label(key: String, value: String?)
        case component(String, version: String?)
        case capability(Capabilities)
        case online
        case enrolled
        case drift
        case heartbeat(HeartbeatState)
        case hardware(HardwareIdentifier)
    }

    let expression: Expression

    /// The filter that `text` spells; otherwise `filter.invalid`, which says where and what would be right.
    public init(_ text: some StringProtocol) throws(Refusal) {
        guard text.utf8.count <= FleetLimits.filterBytes else {
            throw Refusal(.invalid, "filter.invalid", "the filter is longer than \(FleetLimits.filterBytes) bytes")
        }
        var parser = DeviceFilterParser(text)
        expression = try parser.parse()
    }

    /// Whether it asks for what comes and goes while nobody changes a device: `online`, `heartbeat` or `drift`.
    package var asksForPassing: Bool { expression.asksForPassing }
}

extension DeviceFilter.Expression {
    fileprivate var asksForPassing: Bool {
        switch self {
        case .not(let inner): inner.asksForPassing
        case .all(let parts), .any(let parts): parts.contains(where: \.asksForPassing)
        case .term(.online), .term(.heartbeat), .term(.drift): true
        case .term: false
        }
    }
}
