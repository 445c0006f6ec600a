import Access
import Audit
import Base
import Bus
import Fleet
import HTTPTypes
import Hummingbird
import Northbound
import SignIn
import Storage
import Telemetry
import Trust

/// Many devices from a list: the list, then what its columns mean and what is wrong, then the tokens.
struct ImportPage: PageView {
    static let template = "import"
    static let menu: MenuItem? = .devices

    struct Mapping: Sendable {
        let columns: [Column]
        let lines: [Line]
        let count: String
        let faults: [ErrorPage.Fault]
        let hasFaults: Bool
    }

    struct Column: Sendable {
        let heading: String
        let field: String
        let targets: [Target]
    }

    struct Target: Sendable {
        let target: String
        let isOn: Bool
    }

    struct Line: Sendable {
        let cells: [String]
    }

    struct Finished: Sendable {
        let words: String
        let tokens: String
        let until: Moment
        /// Where the list of tokens comes back as a file.
        let download: String
    }

    let title = "Import devices"
    let list: String
    let address: String
    let text: String
    let fault: String?
    let isFirst: Bool
    let mapping: Mapping?
    let done: Finished?
}

extension ImportPage {
    init(
        _ visit: TenantVisit, text: String, fault: String?, mapping: Mapping? = nil, done: Finished? = nil
    ) {
        list = "\(visit.home)/devices"
        address = "\(visit.home)/devices/import"
        self.text = text
        self.fault = fault
        self.mapping = mapping
        self.done = done
        isFirst = mapping == nil && done == nil
    }

    /// The answer to one step.
    static func answer(_ console: ConsoleParts, _ visit: TenantVisit) async throws -> Outcome {
        let text = visit.form.exact("list")
        do {
            let list = try DeviceListText(text)
            let step = visit.form.text("step")
            let targets =
                step == nil ? list.guesses : list.headings.indices.map { visit.form.text("column-\($0)") ?? "" }
            let (registration, refusal) = list.read(as: targets)
            if step == "register", let registration {
                do {
                    let registered = try await console.fleet.registerMany(
                        registration, in: visit.tenant.id, by: visit.principal)
                    return .show(ImportPage(visit, text: "", fault: nil, done: finished(registered, visit)))
                } catch let refusal as Refusal where refusal.code != PageTable.stepUp {
                    return .again(
                        ImportPage(
                            visit, text: text, fault: refusal.message.beginningUpper,
                            mapping: mapping(list, targets, registration.count, refusal.faults)))
                }
            }
            let page = ImportPage(
                visit, text: text, fault: refusal.map { words($0, isPreview: step != "register") },
                mapping: mapping(list, targets, registration?.count, refusal?.faults ?? []))
            return refusal == nil ? .show(page) : .again(page)
        } catch let refusal as Refusal where refusal.code != PageTable.stepUp {
            return .again(ImportPage(visit, text: text, fault: refusal.message.beginningUpper))
        }
    }

    /// What is wrong with a list as a whole; its lines are named below. Before somebody has asked for it, nothing could
    /// have been registered.
    private static func words(_ refusal: Refusal, isPreview: Bool) -> String {
        guard !refusal.faults.isEmpty else { return refusal.message.beginningUpper }
        return isPreview
            ? "Some lines can not be registered as they are. Say what the columns mean, or mend the list."
            : refusal.message.beginningUpper
    }

    /// The tokens as a file. The page's form brings them along, because the server has kept nothing but their hashes.
    static func tokens(_ visit: TenantVisit) -> Outcome {
        let list = Array(visit.form.exact("tokens").utf8)
        return .answer(Answer(.ok, .bytes(list, mediaType: Answer.csv)).saved(as: "enrolment-tokens.csv"))
    }

    private static func mapping(
        _ list: DeviceListText, _ targets: [String], _ count: Int?, _ faults: [Refusal.Fault]
    ) -> Mapping {
        Mapping(
            columns: list.headings.enumerated().map { index, heading in
                let own = targets[index]
                let all =
                    DeviceListText.targets + (DeviceListText.targets.contains(own) || own.isEmpty ? [] : [own])
                    + ["label.\(DeviceListText.key(heading))"].filter { $0 != own }
                return Column(
                    heading: heading.isEmpty ? "Column \(index + 1)" : heading, field: "column-\(index)",
                    targets: all.map { Target(target: $0, isOn: $0 == own) })
            },
            lines: list.lines.prefix(ConsoleLimits.previewLines).map { Line(cells: $0) },
            count: count.map { $0 == 1 ? "1 device, ready." : "\($0.grouped) devices, ready." }
                ?? "\(list.lines.count.grouped) lines.",
            faults: faults.map { .init(place: $0.place, message: $0.message) }, hasFaults: !faults.isEmpty)
    }

    private static func finished(_ registered: RegisteredDevices, _ visit: TenantVisit) -> Finished {
        let lines = registered.devices.map { "\($0.name),\($0.id),\($0.token)" }
        return Finished(
            words: registered.devices.count == 1
                ? "1 device is registered." : "\(registered.devices.count.grouped) devices are registered.",
            tokens: (["name,id,enrolmentToken"] + lines).joined(separator: "\n"),
            until: Moment(registered.tokensExpire),
            download: "\(visit.home)/devices/import/tokens")
    }
}

/// A list of devices as somebody has it, in CSV with headings of their own.
struct DeviceListText: Sendable {
    /// What a column can mean, beside labels, attributes and components of any name.
    static let targets =
        ["name", "model", "domain", "capabilities", "place", "latitude", "longitude"]
        + HardwareIdentifier.Kind.allCases.map(\.rawValue)

    let headings: [String]
    let lines: [[String]]

    init(_ text: String) throws {
        var records: [[String]] = []
        var reader = CSVReader()
        do {
            try reader.consume(text.utf8) { records.append($0.fields) }
            try reader.finish { records.append($0.fields) }
        } catch let fault as CSVReader.Fault {
            throw Refusal(.invalid, "devices.invalid", "Line \(fault.line): \(fault.message).")
        }
        guard let first = records.first, records.count > 1 else {
            throw Refusal(
                .invalid, "devices.invalid", "A list has a line with the columns' names and a line for each device.")
        }
        headings = first
        lines = Array(records.dropFirst())
    }

    /// What the headings seem to mean; empty for columns to leave out.
    var guesses: [String] {
        var taken: Set<String> = []
        return headings.map { heading in
            let plain = Self.key(heading.lowercased())
            let known: [String: String] = [
                "device": "name", "id": "name", "devicename": "name", "type": "model", "site": "domain",
                "serialnumber": "serial", "sn": "serial", "lat": "latitude", "lon": "longitude", "lng": "longitude",
                "location": "place", "address": "place", "macaddress": "mac",
            ]
            let prefixes = ["label.", "attribute.", "component."]
            let guess =
                Self.targets.contains(plain)
                ? plain
                : prefixes.contains { heading.hasPrefix($0) }
                    ? heading : known[plain.filter { $0.isLetter }] ?? (plain.isEmpty ? "" : "label.\(plain)")
            return taken.insert(guess).inserted ? guess : ""
        }
    }

    /// The devices that the list spells when its columns mean this, or every fault.
    func read(as targets: [String]) -> (RegistrationList?, Refusal?) {
        let kept = targets.indices.filter { !targets[$0].isEmpty }
        var reader = RegistrationReader(.csv)
        do {
            try reader.consume(Self.line(kept.map { targets[$0] }))
            for line in lines {
                // A line of another length keeps its length, so that its fault is named.
                let cells = line.count == headings.count ? kept.map { line[$0] } : line
                try reader.consume(Self.line(cells))
            }
            return (try reader.finish(), nil)
        } catch {
            return (nil, error as Refusal)
        }
    }

    private static func line(_ cells: [String]) -> [UInt8] {
        Array((cells.map(CSVCell.quoted).joined(separator: ",") + "\n").utf8)
    }

    /// A heading as a label's key.
    static func key(_ heading: String) -> String {
        String(heading.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }).split(separator: "-")
            .joined(separator: "-")
    }
}
