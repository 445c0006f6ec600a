import Access
import Base
package import HTTPTypes
package import Northbound
import Storage

/// What a page answers with.
package enum Outcome: Sendable {
    /// A page.
    case page(any PageView, status: HTTPResponse.Status = .ok, live: String? = nil)
    /// Go there and see; `done` names what was done, for a line on that page.
    case seeOther(String, done: Done? = nil)
    /// Go there, signed in from now on by this secret.
    case signedIn(secret: String, to: String)
    /// Go there, signed out.
    case signedOut(to: String)
    /// A file or a stream.
    case answer(Answer)
    /// Another answer, with a cookie.
    indirect case setting(cookie: String, Outcome)

    /// A page with the status 200.
    static func show(_ view: any PageView, live: String? = nil) -> Outcome { .page(view, live: live) }

    /// A form again, with what is wrong in it.
    static func again(_ view: any PageView) -> Outcome { .page(view, status: .unprocessableContent) }
}

/// What was just done, as the next page says it. It travels by its name in the address, so that nobody can make the
/// console say words of their own.
package enum Done: String, CaseIterable, Sendable {
    case saved, created, removed, registered, imported, suspended, resumed, revoked, deleted, changed
    case viewSaved = "view-saved"
    case viewRemoved = "view-removed"
    case signedOut = "signed-out"
    case passwordChanged = "password-changed"
    case ownPasswordChanged = "own-password-changed"
    case factorAdded = "factor-added"
    case sessionsEnded = "sessions-ended"
    case programEnded = "program-ended"
    case linkSent = "link-sent"
    case demoBegun = "demo-begun"
    case demoRemoved = "demo-removed"
    case reportSent = "report-sent"
    // Settings
    case proposedWithoutSecret = "proposed-without-secret"
    case invited, proposed, approved, rejected, ended, enabled, disabled, replayed, discarded
    case factorsReset = "factors-reset"
    case linkMailed = "link-mailed"
    // Firmware
    case published, withdrawn
    case campaignApproved = "campaign-approved"
    // Sites & access
    case undone
    case shareOffered = "share-offered"
    case shareAccepted = "share-accepted"
    case shareDeclined = "share-declined"
    case shareEnded = "share-ended"
    case nothingTicked = "nothing-ticked"

    /// Whether it says that nothing was done.
    var isWarning: Bool { self == .nothingTicked }

    /// The line.
    var text: String {
        switch self {
        case .undone: "Undone."
        case .published: "Published: it can be installed."
        case .campaignApproved: "Approved: it begins when its time comes."
        case .withdrawn: "Withdrawn: nobody can order it any more."
        case .shareOffered: "The share is offered; the other organisation must accept it."
        case .shareAccepted: "The share is accepted."
        case .shareDeclined: "The offer is declined."
        case .shareEnded: "The share is ended."
        case .saved: "Saved."
        case .created: "Created."
        case .removed: "Removed."
        case .registered: "The device is registered."
        case .imported: "The devices are registered."
        case .suspended: "Suspended: connections are closed until resumed."
        case .resumed: "Resumed."
        case .revoked: "Revoked: credentials have ended and connections are closed."
        case .deleted: "Deleted."
        case .changed: "Changed."
        case .viewSaved: "The view is saved."
        case .viewRemoved: "The view is removed."
        case .signedOut: "You are signed out."
        case .passwordChanged: "The password is changed. Sign in with the new one."
        case .ownPasswordChanged: "Your password is changed, and your other sessions have ended."
        case .factorAdded: "The factor is added. Your sign-in asks for it from now on."
        case .sessionsEnded: "Ended. Nobody can go on there without signing in again."
        case .programEnded: "The program can do nothing in your name any more."
        case .linkSent:
            "If there is such an account, a link is on its way. If none comes, an administrator can make you one."
        case .demoBegun: "The demo fleet is here. Its meters enrol now; the first readings come within a minute."
        case .demoRemoved: "The demo fleet is removed."
        case .reportSent: "The report is on its way."
        case .invited: "Invited: the link is on its way by mail."
        case .proposed: "Proposed: it waits for a second approver."
        case .proposedWithoutSecret:
            "Proposed: it waits for a second approver. The secret is not kept with it: give it when it is approved."
        case .approved: "Approved, and done."
        case .rejected: "Turned down."
        case .ended: "Ended."
        case .enabled: "Enabled."
        case .disabled: "Disabled, and signed out everywhere."
        case .factorsReset: "The factors are reset, and every session has ended."
        case .replayed: "In the queue again."
        case .discarded: "Given up."
        case .linkMailed: "The link is on its way by mail."
        case .nothingTicked: "Nothing was done: tick devices first, or all that match."
        }
    }
}
