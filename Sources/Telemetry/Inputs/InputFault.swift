public import Base

/// Why a payload was refused, and where.
public struct InputFault: Error, Hashable, Sendable {
    /// What is wrong.
    public var reason: Reason
    /// The byte at which it was noticed, counted from zero.
    public var offset: Int
    /// The line, counted from one, in a newline-delimited body.
    public var line: Int?

    /// A fault at a byte.
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// Every way in which a payload can be wrong; the raw value is the stable code.
    public enum Reason: String, Sendable, CaseIterable {
        case empty = "payload.empty"
        case tooLarge = "payload.tooLarge"
        case unknownFormat = "payload.unknownFormat"
        case truncated = "payload.truncated"
        case trailingBytes = "payload.trailingBytes"
        case tooManyReadings = "payload.tooManyReadings"
        case tooManyLines = "payload.tooManyLines"
        case tooDeep = "payload.tooDeep"
        case notJSON = "json.syntax"
        case badString = "json.string"
        case notUTF8 = "text.notUTF8"
        case textTooLong = "text.tooLong"
        case notANumber = "number.syntax"
        case notFinite = "number.notFinite"
        case numberTooLarge = "number.tooLarge"
        case numberTooPrecise = "number.tooPrecise"
        case timeOutOfRange = "time.outOfRange"
        case noName = "name.missing"
        case badName = "name.invalid"
        case nameTooLong = "name.tooLong"
        case tooManyNames = "name.tooMany"
        case badUnit = "unit.invalid"
        case wrongType = "field.wrongType"
        case duplicateField = "field.duplicate"
        case mandatoryField = "senml.mandatoryField"
        case badVersion = "senml.version"
        case noValue = "senml.noValue"
        case twoValues = "senml.twoValues"
        case badData = "senml.data"
        case notCBOR = "cbor.syntax"
        case unsupportedCBOR = "cbor.unsupported"
        case badGzip = "gzip.syntax"
        case inflatedTooLarge = "gzip.tooLarge"
        case inflatedTooMuch = "gzip.ratio"

        /// What happened and what would be right, for the sender.
        public var message: String {
            switch self {
            case .empty: "the payload is empty; send at least one reading"
            case .tooLarge: "the payload is larger than allowed; send fewer readings at once"
            case .unknownFormat:
                "the payload is neither SenML JSON, SenML CBOR, ThingsBoard JSON nor gzip of one of them"
            case .truncated: "the payload ends inside a value"
            case .trailingBytes: "bytes follow the end of the document; send one document, or one a line as NDJSON"
            case .tooManyReadings: "the payload holds more values than allowed; send fewer at once"
            case .tooManyLines: "the body holds more lines than allowed; send fewer at once"
            case .tooDeep: "arrays or objects are nested too deeply"
            case .notJSON: "this is not JSON"
            case .badString: "a string holds a control character or a wrong escape"
            case .notUTF8: "text is not UTF-8"
            case .textTooLong: "a text or data value is longer than allowed"
            case .notANumber: "a number is expected here, written as JSON writes numbers"
            case .notFinite: "NaN and infinities are no readings; leave the value out"
            case .numberTooLarge: "the number does not fit 64 bits"
            case .numberTooPrecise: "the number has more digits than 64 bits hold; round it"
            case .timeOutOfRange: "the time is before 1970 or after 9999"
            case .noName: "the reading has no name"
            case .badName: "the name holds a character that names can not hold"
            case .nameTooLong: "the name is longer than allowed"
            case .tooManyNames: "the payload names more different series than allowed"
            case .badUnit: "a unit is 1 to 16 visible ASCII characters"
            case .wrongType: "the field's value is of the wrong type"
            case .duplicateField: "the record has the same field twice"
            case .mandatoryField: "the record has a field that must be understood (its name ends in _) and is not"
            case .badVersion: "only SenML versions 10 and 26 are understood, the same in all records"
            case .noValue: "the record has neither a value nor a sum"
            case .twoValues: "the record has more than one value"
            case .badData: "the data value is not base64url"
            case .notCBOR: "this is not well-formed CBOR"
            case .unsupportedCBOR:
                "this CBOR item can not be a reading: allowed are integers, floats, decimal fractions, text, bytes, booleans"
            case .badGzip: "the body is not valid gzip"
            case .inflatedTooLarge: "the body unpacks to more than allowed; send fewer readings at once"
            case .inflatedTooMuch: "the body unpacks to implausibly much for its size"
            }
        }

        /// Whether a smaller payload would have been accepted.
        var isSize: Bool {
            switch self {
            case .tooLarge, .tooManyReadings, .tooManyLines, .inflatedTooLarge, .inflatedTooMuch: true
            default: false
            }
        }
    }

    /// The refusal that tells the sender.
    public var refusal: Refusal {
        let place = line.map { "line \($0), byte \(offset)" } ?? "byte \(offset)"
        return Refusal(
            reason.isSize ? .tooLarge : .invalid, "telemetry.\(reason.rawValue)", "\(reason.message) (\(place))",
            faults: [Refusal.Fault(place: place, message: reason.message)])
    }
}

extension InputFault {
    init(number fault: NumberFault, at offset: Int) {
        let reason: Reason =
            switch fault {
            case .notANumber: .notANumber
            case .notFinite: .notFinite
            case .tooLarge: .numberTooLarge
            case .tooPrecise: .numberTooPrecise
            }
        self.init(reason, at: offset)
    }
}
