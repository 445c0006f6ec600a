public import Base
import FoundationEssentials

/// Marks identifiers of deliveries.
public enum DeliveryIDKind {}
/// Names a delivery; receivers see it, and see it again when something arrives twice.
public typealias DeliveryID = Identifier<DeliveryIDKind>
/// Marks identifiers of outlets.
public enum OutletIDKind {}
/// Names an outlet.
public typealias OutletID = Identifier<OutletIDKind>

/// By what means something is sent out.
public enum DeliveryKind: String, Sendable, CaseIterable {
    /// A mail, through a mail server.
    case mail
    /// A text message, through a gateway.
    case sms
    /// A signed HTTPS request to a customer's application.
    case webhook
    /// Lines of syslog over TLS; only audit logs are streamed by it.
    case syslog
}

/// Something to send out, as the part that wants it sent describes it.
public struct OutboundMessage: Sendable, Hashable {
    /// A file that a mail carries.
    public struct Attachment: Sendable, Hashable {
        /// The file's name: letters, digits and `._-`.
        public var name: String
        /// Its media type, such as `text/csv`.
        public var mediaType: String
        /// What is in it.
        public var bytes: [UInt8]

        /// A file of this name, type and content.
        public init(name: String, mediaType: String, bytes: [UInt8]) {
            self.name = name
            self.mediaType = mediaType
            self.bytes = bytes
        }
    }

    /// What is sent to whom.
    public enum Content: Sendable, Hashable {
        /// A mail of plain text.
        case mail(to: String, subject: String, text: String, attachments: [Attachment])
        /// A text message to a number such as `+4930123456`.
        case sms(to: String, text: String)
        /// An event for a customer's application.
        case webhook(outlet: OutletID, event: String, body: JSONValue)
    }

    /// What is sent to whom.
    public var content: Content
    /// True when whoever reads it could act with it, as with a link that sets a password: it is then shown to nobody
    /// where it can be sent, and forgotten once it has been.
    public var isConfidential = false
    /// The moment from which it is of no use any more.
    public var expires: Timestamp?

    /// A mail to one address.
    public static func mail(
        to: String, subject: String, text: String, attachments: [Attachment] = [], isConfidential: Bool = false,
        expires: Timestamp? = nil
    ) -> OutboundMessage {
        OutboundMessage(
            content: .mail(to: to, subject: subject, text: text, attachments: attachments),
            isConfidential: isConfidential, expires: expires)
    }

    /// A text message to one number.
    public static func sms(
        to: String, text: String, isConfidential: Bool = false, expires: Timestamp? = nil
    ) -> OutboundMessage {
        OutboundMessage(content: .sms(to: to, text: text), isConfidential: isConfidential, expires: expires)
    }

    /// An event for the application behind a webhook.
    public static func webhook(outlet: OutletID, event: String, body: JSONValue) -> OutboundMessage {
        OutboundMessage(content: .webhook(outlet: outlet, event: event, body: body))
    }

    /// By what means it is sent.
    public var kind: DeliveryKind {
        switch content {
        case .mail: .mail
        case .sms: .sms
        case .webhook: .webhook
        }
    }

    /// Throws unless it can be sent as it is.
    func check() throws(Refusal) {
        switch content {
        case .mail(let to, let subject, let text, let attachments):
            guard MailAddress(to) != nil else {
                throw Self.wrong("to", "must be a mail address such as ada@example.com, in ASCII")
            }
            guard Self.isOneLine(subject, atMost: DeliveryLimits.subjectBytes) else {
                throw Self.wrong("subject", "must be one line of at most \(DeliveryLimits.subjectBytes) bytes")
            }
            guard !text.utf8.contains(0) else { throw Self.wrong("text", "must not hold the character U+0000") }
            guard attachments.count <= DeliveryLimits.attachments, attachments.allSatisfy(Self.isGood) else {
                throw Self.wrong("attachments", "must be at most \(DeliveryLimits.attachments) files with plain names")
            }
        case .sms(let to, let text):
            guard PhoneNumber(to) != nil else { throw Self.wrong("to", "must be a number such as +4930123456") }
            guard (1...DeliveryLimits.smsBytes).contains(text.utf8.count), !text.utf8.contains(0) else {
                throw Self.wrong("text", "must have 1 to \(DeliveryLimits.smsBytes) bytes")
            }
        case .webhook(_, let event, _):
            guard Self.isOneLine(event, atMost: DeliveryLimits.eventBytes), !event.isEmpty else {
                throw Self.wrong("event", "must have 1 to \(DeliveryLimits.eventBytes) bytes")
            }
        }
    }

    private static func isGood(_ file: Attachment) -> Bool {
        Name(file.name) != nil && !file.name.contains(":") && !file.mediaType.isEmpty
            && file.mediaType.utf8.allSatisfy { byte in
                (0x21...0x7E).contains(byte) && !"\"\\<>()@,:?[]".utf8.contains(byte)
            }
    }

    /// Whether text fits one line: no control character of any sort, and not too long.
    static func isOneLine(_ text: String, atMost limit: Int) -> Bool {
        text.utf8.count <= limit
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .lineSeparator
                    && scalar.properties.generalCategory != .paragraphSeparator
            }
    }

    static func wrong(_ place: String, _ message: String) -> Refusal {
        Refusal(
            .invalid, "delivery.message", "This can not be sent: \(place) \(message).",
            faults: [Refusal.Fault(place: "/" + place, message: message)])
    }
}

// MARK: - As it is kept

extension OutboundMessage.Content {
    /// The content as it is sealed into the queue.
    var json: JSONValue {
        switch self {
        case .mail(let to, let subject, let text, let attachments):
            [
                "to": .string(to), "subject": .string(subject), "text": .string(text),
                "attachments": .array(
                    attachments.map { file in
                        [
                            "name": .string(file.name), "mediaType": .string(file.mediaType),
                            "base64": .string(Data(file.bytes).base64EncodedString()),
                        ]
                    }),
            ]
        case .sms(let to, let text): ["to": .string(to), "text": .string(text)]
        case .webhook(let outlet, let event, let body):
            ["outlet": .string(outlet.text), "event": .string(event), "body": body]
        }
    }

    /// The content in what was opened from the queue, or nil when it is damaged.
    init?(_ kind: DeliveryKind, _ bytes: [UInt8]) {
        let limits = JSONLimits(bytes: DeliveryLimits.messageBytes, depth: 32)
        guard let json = try? JSONValue(parsing: bytes, limits: limits) else { return nil }
        switch kind {
        case .mail:
            guard let to = json["to"]?.string, let subject = json["subject"]?.string, let text = json["text"]?.string,
                case .array(let files) = json["attachments"]
            else { return nil }
            let attachments = files.compactMap { file -> OutboundMessage.Attachment? in
                guard let name = file["name"]?.string, let mediaType = file["mediaType"]?.string,
                    let bytes = file["base64"]?.string.flatMap({ Data(base64Encoded: $0) })
                else { return nil }
                return OutboundMessage.Attachment(name: name, mediaType: mediaType, bytes: Array(bytes))
            }
            guard attachments.count == files.count else { return nil }
            self = .mail(to: to, subject: subject, text: text, attachments: attachments)
        case .sms:
            guard let to = json["to"]?.string, let text = json["text"]?.string else { return nil }
            self = .sms(to: to, text: text)
        case .webhook:
            guard let outlet = json["outlet"]?.string.flatMap({ OutletID(text: $0) }),
                let event = json["event"]?.string, let body = json["body"]
            else { return nil }
            self = .webhook(outlet: outlet, event: event, body: body)
        case .syslog: return nil
        }
    }
}
