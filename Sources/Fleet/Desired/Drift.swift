import Base

/// How what a device reports stands to what it is wanted to be.
///
/// Devices report in two ways: the members themselves, under the same names, or, as the agent does, a word on the
/// version that is in effect: `{"configuration": {"version": 4, "state": "applied"}}`. Secrets are left aside.
struct Drift {
    /// How one member stands.
    enum Standing: String {
        /// The device reports the same.
        case follows
        /// The device reports another value.
        case differs
        /// The device does not report it.
        case unreported
        /// It is a secret, which nobody reports.
        case secret
    }

    private let document: DeviceDocument
    private let reported: DeviceDocument

    /// The drift between these two documents of one device.
    init(_ documents: DeviceDocuments) {
        document = documents.desired
        reported = documents.reported
    }

    /// How the member at a path stands.
    func standing(of path: MemberPath, _ value: JSONValue) -> Standing {
        if value == DesiredContent.placeholder { return .secret }
        guard let found = reported.members[path] else { return .unreported }
        // An object without members says nothing of those that the device has in it.
        if value == [:], case .object = found { return .follows }
        return Self.isSame(value, found) ? .follows : .differs
    }

    /// How many members differ; nil when nothing is desired or the device has said nothing to it.
    var count: Int64? {
        guard document.version > 0 else { return nil }
        var (known, differing): (Bool, Int64) = (false, 0)
        for (path, value) in document.members.leaves {
            switch standing(of: path, value) {
            case .follows: known = true
            case .differs: (known, differing) = (true, differing + 1)
            case .unreported, .secret: break
            }
        }
        if let isInEffect { (known, differing) = (true, differing + (isInEffect ? 0 : 1)) }
        return known ? differing : nil
    }

    /// What the device says of the version that is in effect; nil when it says no such thing.
    private var isInEffect: Bool? {
        guard let word = reported.members["configuration"], let version = word["version"]?.integer,
            let state = word["state"]?.string
        else { return nil }
        return version == document.version && state == "applied"
    }

    /// Whether two values are the same to a device: 5 and 5.0 are.
    private static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if left == right { return true }
        if let left = left.double, let right = right.double { return left == right }
        guard case .array(let left) = left, case .array(let right) = right, left.count == right.count else {
            return false
        }
        return zip(left, right).allSatisfy(isSame)
    }
}
