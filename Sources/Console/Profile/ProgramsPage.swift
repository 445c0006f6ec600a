import Access
import Base
import Northbound
import OAuth

/// The programs that a person lets act for them.
struct ProgramsPage: ProfileView {
    static let template = "profile-programs"

    struct Program: Sendable {
        let id: String
        let name: String
        let scope: String
        let since: Moment
        let used: Moment?
        let ends: Moment
    }

    let title = "Programs that act for you"
    let tabs = ProfileTab.all(at: .programs)
    let programs: [Program]
    let hasPrograms: Bool
}

extension ProgramsPage {
    init(_ console: ConsoleParts, _ visit: SignedVisit) async throws {
        programs = try await console.oauth.connectedPrograms(of: visit.principal).map { program in
            Program(
                id: program.id, name: program.name,
                scope: program.scope.permissions.map { $0.map(\.rawValue).sorted().joined(separator: ", ") }
                    ?? "everything that you may do", since: Moment(program.since),
                used: Moment(program.lastUsed),
                ends: Moment(program.ends))
        }
        hasPrograms = !programs.isEmpty
    }
}
