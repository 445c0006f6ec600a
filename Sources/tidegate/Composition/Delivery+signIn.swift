import Base
import Delivery
import SignIn
import Storage

/// How the queue carries what sign-in wants sent.
extension Delivery {
    /// Puts a mail into the queue; false when no mail would leave.
    ///
    /// A link does not even rest in the outbox then: whoever made it is shown it, and nobody else should see it.
    func send(_ note: OutboundNote, _ tenant: TenantID, _ transaction: Transaction) throws -> Bool {
        let leaves = try can(.mail, for: tenant, in: transaction)
        guard leaves || note.expires == nil else { return false }
        try send(
            .mail(
                to: note.to.text, subject: note.subject, text: note.text, isConfidential: note.expires != nil,
                expires: note.expires), tenant: tenant, in: transaction)
        return leaves
    }

    /// Puts a code by text message into the queue; false when none would leave. A code that comes late is of no use.
    func send(
        code text: String, to number: TelephoneNumber, _ tenant: TenantID, _ transaction: Transaction
    ) throws -> Bool {
        guard try can(.sms, for: tenant, in: transaction) else { return false }
        try send(
            .sms(
                to: number.text, text: text, isConfidential: true,
                expires: WallClock.system.now + .seconds(Int64(SignInLimits.textSeconds))), tenant: tenant,
            in: transaction)
        return true
    }
}
