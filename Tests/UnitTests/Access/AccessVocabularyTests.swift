import Base
import Delivery
import SignIn
import Testing

@testable import Access
@testable import Audit

@Suite struct AccessVocabularyTests {
    @Test("whatever lets somebody change a thing comes with what lets them see it", arguments: Role.builtIn)
    func roles(role: Role) {
        for permission in role.permissions { #expect(role.permissions.contains(permission.revealing), "\(permission)") }
    }

    @Test("what reveals a thing reveals itself", arguments: Permission.allCases)
    func revealing(permission: Permission) {
        #expect(permission.revealing.revealing == permission.revealing)
    }

    @Test("no role of a tenant's own people counts on the platform")
    func platformOnly() {
        for role in Role.builtIn where role != .platformAdmin {
            #expect(role.permissions.allSatisfy { !$0.isPlatformOnly })
        }
        #expect(Role.viewer.permissions.isSubset(of: Role.operator.permissions))
        #expect(Role.operator.permissions.isSubset(of: Role.admin.permissions))
        #expect(Set(Role.builtIn.map(\.id)).count == Role.builtIn.count)
    }

    @Test("no two codes are the same, and each has its sentence")
    func codes() {
        let codes =
            AuditCode.audit + AuditCode.access + AuditCode.signIn + AuditCode.factors
            + AuditCode.delivery
        #expect(Set(codes.map(\.text)).count == codes.count)
        for code in codes { #expect(code.meaning.hasSuffix(".")) }
    }

    @Test("a plan starts with real figures, each under its own name")
    func plan() throws {
        let plan = Plan(id: Plan.standardID, name: try #require(Name("standard")))
        #expect(Plan.figures.allSatisfy { plan[keyPath: $0.value] > 0 })
        #expect(Set(Plan.figures.map(\.name)).count == Plan.figures.count)
        for (index, figure) in Plan.figures.enumerated() {
            var changed = plan
            changed[keyPath: figure.value] += 1
            for (other, value) in Plan.figures.enumerated() {
                #expect((changed[keyPath: value.value] != plan[keyPath: value.value]) == (index == other))
            }
        }
    }

    @Test("an actor carries its home only in another tenant's log")
    func actor() {
        let home = TenantID(high: 1, low: 1)
        let principal = Principal(
            id: PrincipalID(high: 2, low: 2), kind: .client, tenant: home, name: "c",
            credential: Credential(id: CredentialID(high: 3, low: 3), kind: .token),
            address: "192.0.2.1")
        #expect(principal.actor.home == nil)
        #expect(principal.actor(in: TenantID(high: 9, low: 9)).home == home)
        #expect(principal.actor.credential == CredentialID(high: 3, low: 3).text)
        #expect(Principal.localAdministrator.actor(in: home).id == "local")
    }
}
