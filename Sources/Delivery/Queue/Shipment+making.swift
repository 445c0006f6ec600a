import Base
import FoundationEssentials

extension Shipment {
    /// The attempt that carries a message along a way, nil when the two do not fit.
    init?(_ content: OutboundMessage.Content, id: DeliveryID, made: Timestamp, along way: Way, at now: Timestamp) {
        switch (content, way.path) {
        case (.mail(let to, let subject, let text, let attachments), .mail(var server)):
            guard let address = MailAddress(to) else { return nil }
            server.password = way.secret
            let mail = MailMessage(
                from: server.from, fromName: server.fromName, to: address, subject: subject, text: text,
                attachments: attachments, id: id, date: made)
            self.init(
                form: .mail(server, to: address, message: mail.bytes), authorities: server.authorities,
                isGuarded: way.isGuarded)
        case (.sms(let to, let text), .sms(let template, let authorities)):
            let values = ["to": to, "text": text, "id": id.text, "secret": way.secret ?? ""]
            let headers = template.headers.sorted { $0.key < $1.key }.map { name, value in
                "\(name): \(GatewayTemplate.filled(value, .header, values))"
            }
            self.init(
                form: .request(
                    method: template.method, address: GatewayTemplate.filled(template.address, .address, values),
                    headers: (template.body.isEmpty ? [] : ["Content-Type: \(template.mediaType)"]) + headers,
                    body: Array(GatewayTemplate.filled(template.body, template.bodyPlace ?? .plain, values).utf8)),
                authorities: authorities)
        case (.webhook(_, let event, let body), .webhook(let address, _, let authorities)):
            guard let signer = way.secret.flatMap({ WebhookSignature(secret: $0) }) else { return nil }
            let document: JSONValue = [
                "type": .string(event), "timestamp": .string(made.rfc3339), "data": body,
            ]
            let bytes = Array(document.canonical.utf8)
            self.init(
                form: .request(
                    method: "POST", address: address.text,
                    headers: [
                        "Content-Type: application/json", "webhook-id: \(id)", "webhook-timestamp: \(now.seconds)",
                        "webhook-signature: \(signer.sign(id: id.text, timestamp: now.seconds, body: bytes))",
                    ], body: bytes), authorities: authorities)
        default: return nil
        }
    }
}
