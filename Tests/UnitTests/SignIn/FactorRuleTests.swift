import Testing

@testable import SignIn

@Suite("what sign-in asks for beside the password")
struct FactorRuleTests {
    struct Case: Sendable {
        var level: FactorLevel
        var owned: Set<FactorMethod>
        var codes = false
        var satisfied: Set<FactorMethod> = []
        var demand: FactorDemand
    }

    static let cases = [
        Case(level: .none, owned: [], demand: .none),
        Case(level: .any, owned: [], demand: .enrolment),
        // Nothing that was proved counts while nothing is set up.
        Case(level: .any, owned: [], satisfied: [.recovery, .totp], demand: .enrolment),
        Case(level: .none, owned: [.totp], demand: .factor([.totp])),
        Case(level: .none, owned: [.totp], codes: true, demand: .factor([.totp, .recovery])),
        Case(level: .none, owned: [.totp], satisfied: [.totp], demand: .none),
        Case(level: .none, owned: [.totp], satisfied: [.recovery], demand: .none),
        // Removed since.
        Case(level: .none, owned: [.totp], satisfied: [.sms], demand: .factor([.totp])),
        Case(level: .code, owned: [.sms, .totp], demand: .factor([.totp])),
        Case(level: .code, owned: [.sms, .totp], satisfied: [.sms], demand: .factor([.totp])),
        Case(level: .code, owned: [.sms], demand: .factor([.sms])),
        Case(level: .code, owned: [.sms], satisfied: [.sms], demand: .enrolment),
        Case(level: .passkey, owned: [.totp, .passkey], codes: true, demand: .factor([.passkey, .recovery])),
        Case(level: .passkey, owned: [.totp, .passkey], satisfied: [.totp], demand: .factor([.passkey])),
        Case(level: .passkey, owned: [.passkey], satisfied: [.recovery], demand: .none),
        Case(level: .passkey, owned: [.totp], satisfied: [.recovery], demand: .enrolment),
    ]

    @Test("each case has its answer", arguments: cases)
    func answers(one: Case) {
        let demand = FactorRule.demand(
            level: one.level, owned: one.owned, hasRecoveryCodes: one.codes, satisfied: one.satisfied)
        #expect(demand == one.demand)
    }

    @Test("nothing is let through below what is demanded, and nobody is left without a way")
    func always() {
        let methods = FactorMethod.allCases.filter { $0 != .recovery }
        for level in FactorLevel.allCases {
            for bits in 0..<8 {
                let owned = Set(methods.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element))
                for more in 0..<16 {
                    let satisfied = Set(
                        FactorMethod.allCases.enumerated().filter { more >> $0.offset & 1 == 1 }.map(\.element))
                    switch FactorRule.demand(level: level, owned: owned, hasRecoveryCodes: true, satisfied: satisfied) {
                    case .none:
                        #expect(level == .none && owned.isEmpty || satisfied.contains(where: level.admits))
                        #expect(level == .none || owned.contains(where: level.admits))
                    case .factor(let offered):
                        #expect(offered.contains { $0 != .recovery })
                    case .enrolment:
                        #expect(level > .none && !owned.contains(where: level.admits))
                        #expect(owned.isEmpty || !satisfied.isEmpty)
                    }
                }
            }
        }
    }

    @Test("a recovery code carries 120 bits, is read back however it is typed, and nothing else is one")
    func recoveryCodes() throws {
        var generator = SystemRandomNumberGenerator()
        let codes = (0..<200).map { _ in RecoveryCode.make(using: &generator) }
        #expect(Set(codes).count == 200)
        for code in codes {
            #expect(code.wholeMatch(of: /([2-9A-HJ-NP-Z]{4}-){5}[2-9A-HJ-NP-Z]{4}/) != nil)
            let hash = try #require(RecoveryCode.hash(of: code))
            #expect(hash == RecoveryCode.hash(of: code.lowercased().replacing("-", with: " ")))
        }
        #expect(Set(codes.joined()).count == 33)
        for text in ["", "ABCD", String(codes[0].dropLast()), codes[0] + "A", codes[0].replacing("-", with: "_")] {
            #expect(RecoveryCode.hash(of: text) == nil)
        }
        #expect(RecoveryCode.hash(of: String(repeating: " ", count: 100_000)) == nil)
    }
}
