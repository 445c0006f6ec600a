import Base
import FoundationEssentials

/// A mail in the form in which it is handed to a mail server (RFC 5322, MIME).
///
/// Sender and recipient are checked addresses and the rest is encoded, so no value can end its own line: there is no
/// place where somebody's text could become a header field.
struct MailMessage: Sendable {
    var from: MailAddress
    var fromName: String
    var to: MailAddress
    var subject: String
    var text: String
    var attachments: [OutboundMessage.Attachment] = []
    /// Names the delivery, so that a mail that arrives twice can be known for the same.
    var id: DeliveryID
    var date: Timestamp

    /// The whole mail, every line ending with CRLF.
    var bytes: [UInt8] {
        var mail = ""
        func field(_ name: String, _ value: String) { mail += "\(name): \(value)\r\n" }
        field("Date", Self.date(date))
        field("From", fromName.isEmpty ? from.text : "\(Self.phrase(fromName)) <\(from)>")
        field("To", to.text)
        field("Subject", EncodedWords.field(subject, behind: 9))
        field("Message-ID", "<\(id)@\(from.host)>")
        field("Auto-Submitted", "auto-generated")
        field("MIME-Version", "1.0")
        guard !attachments.isEmpty else {
            Self.addText(text, to: &mail)
            return Array(mail.utf8)
        }
        // Underscores stand in no base64, and an equals sign with one in no quoted-printable text.
        let boundary = "=_\(id)_="
        field("Content-Type", "multipart/mixed; boundary=\"\(boundary)\"")
        mail += "\r\n--\(boundary)\r\n"
        Self.addText(text, to: &mail)
        for attachment in attachments {
            mail += "--\(boundary)\r\nContent-Type: \(attachment.mediaType)\r\n"
            mail += "Content-Disposition: attachment; filename=\"\(attachment.name)\"\r\n"
            mail += "Content-Transfer-Encoding: base64\r\n\r\n"
            mail += Data(attachment.bytes).base64EncodedString(options: [
                .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
            ])
            mail += "\r\n"
        }
        mail += "--\(boundary)--\r\n"
        return Array(mail.utf8)
    }

    private static func addText(_ text: String, to mail: inout String) {
        mail += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        mail += QuotedPrintable.encoded(text)
    }

    /// The name before an address: letters and digits as they are, all else as encoded words.
    private static func phrase(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            byte == 0x20 || (byte < 0x80 && Character(Unicode.Scalar(byte)).isLetter)
                || (byte < 0x80 && Character(Unicode.Scalar(byte)).isNumber)
        }
        return isPlain && name.utf8.count < 60 ? name : EncodedWords.encoded(name, behind: 6)
    }

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// A moment as RFC 5322 writes it, in UTC.
    static func date(_ moment: Timestamp) -> String {
        let day = moment.seconds.flooredDivision(by: 86_400)
        let ofDay = moment.seconds - day * 86_400
        let date = moment.date
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        let weekday = days[Int(day - day.flooredDivision(by: 7) * 7)]
        return "\(weekday), \(two(date.day)) \(months[Int(date.month) - 1]) \(date.year) "
            + "\(two(ofDay / 3600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60)) +0000"
    }
}
