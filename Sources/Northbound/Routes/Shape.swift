/// The shape of a JSON value: it checks what comes in and describes it in the OpenAPI document.
///
/// One value does both, so the description can not promise what the server does not check.
public indirect enum Shape: Sendable {
    /// A string in this form.
    case text(TextForm)
    /// One of these strings.
    case choice([String])
    /// A whole number within bounds.
    case integer(ClosedRange<Int64>)
    /// Any finite number.
    case number
    /// True or false.
    case boolean
    /// An array with at most so many elements.
    case array(of: Shape, atMost: Int)
    /// An object with exactly these members.
    case object([Member])
    /// An object with any names as members, at most so many, all of one shape.
    case map(of: Shape, atMost: Int)
    /// This shape or null.
    case nullable(Shape)
    /// Any JSON value.
    case any
    /// A shape with a name of its own in the document.
    case named(String, Shape)

    /// One member of an object.
    public struct Member: Sendable {
        /// The member's name.
        public let name: String
        /// Its shape.
        public let shape: Shape
        /// Whether it must be there.
        public let isRequired: Bool
        /// What it means, in a sentence.
        public let note: String
        /// Whether it holds what lets somebody or a program in, and is shown once.
        public private(set) var isSecret = false

        /// The same member, as one that holds a secret of a person or program which is shown once.
        public var shownOnce: Member {
            var member = self
            member.isSecret = true
            return member
        }

        /// A member that must be there.
        public static func required(_ name: String, _ shape: Shape, _ note: String) -> Member {
            Member(name: name, shape: shape, isRequired: true, note: note)
        }

        /// A member that may be left out.
        public static func optional(_ name: String, _ shape: Shape, _ note: String) -> Member {
            Member(name: name, shape: shape, isRequired: false, note: note)
        }
    }

    /// Whether something in it is a secret that is shown once.
    var holdsSecret: Bool {
        switch self {
        case .object(let members): members.contains { $0.isSecret || $0.shape.holdsSecret }
        case .nullable(let shape), .named(_, let shape): shape.holdsSecret
        default: false
        }
    }

    /// What a string may look like.
    public enum TextForm: Sendable {
        /// Anything, up to so many characters.
        case free(atMost: Int)
        /// A `Name`.
        case name
        /// A tenant's slug.
        case slug
        /// An identifier of 32 hexadecimal digits.
        case identifier
        /// An RFC 3339 time.
        case time
        /// A name or an identifier.
        case nameOrIdentifier
        /// A length of time such as `15m`.
        case duration
    }

    /// A string of up to 1,000 characters.
    public static let text = Shape.text(.free(atMost: 1000))
    /// A `Name`.
    public static let name = Shape.text(.name)
    /// An identifier.
    public static let identifier = Shape.text(.identifier)
    /// An RFC 3339 time.
    public static let time = Shape.text(.time)
    /// A whole number that is not negative.
    public static let count = Shape.integer(0...Int64.max)
}
