import Access
import Audit
import Backup
import Console
import Delivery
import Fleet
import Northbound
import OAuth
import Operations
import SignIn
import Watch

extension AuditCode {
    /// Every code that any part of the program records.
    static let all =
        audit + access + signIn + factors + directories + oauth + fleet + delivery + operations + watch + backup
        + northbound + console
}
