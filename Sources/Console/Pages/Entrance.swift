import Access
import Base
import Storage

/// The way in and out.
extension PageTable {
    static func entrance(_ console: ConsoleParts, _ sessions: Sessions) -> [Page] {
        [
            .signedIn("/") { visit in
                let principal = visit.principal
                let access = console.access
                let places = try await console.database.platform.read { try access.tenants(openTo: principal, in: $0) }
                guard let place = places.first(where: { $0.id == principal.tenant }) ?? places.first else {
                    throw Refusal(
                        .forbidden, "access.none",
                        "You are signed in, but nobody has given you a role yet. Ask an administrator for one.")
                }
                return .seeOther("/t/\(place.slug)")
            },
            .signedIn(posting: "/sign-out") { visit in
                try await sessions.end(visit.visitor)
                return .signedOut(to: "/sign-in?done=\(Done.signedOut.rawValue)")
            },
        ]
    }
}
