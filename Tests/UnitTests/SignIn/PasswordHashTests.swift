import Base
import CArgon2
import Testing

@testable import SignIn

@Suite("Passwords' hashes")
struct PasswordHashTests {
    static let cheap = PasswordCost(memory: 64, passes: 1)

    @Test("a hash is computed as libargon2 and RFC 9106 have it, and read back from its text")
    func known() throws {
        // The vector of libargon2's own test of version 19: t=2, m=2^16, p=1, "password", "somesalt".
        let text = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        let stored = try #require(PasswordHash(text))
        #expect(stored.text == text)
        let hash = try Argon2.hash(Array("password".utf8), salt: stored.salt, stored.cost, bytes: 32)
        #expect(hash == stored.hash)
    }

    @Test("libargon2's own check accepts what is stored")
    func verifiedElsewhere() async throws {
        let hashing = PasswordHashing(cost: Self.cheap)
        let text = try await hashing.hash(Password("correct horse"))
        #expect(argon2id_verify(text, "correct horse", 13) == ARGON2_OK.rawValue)
        #expect(argon2id_verify(text, "correct house", 13) != ARGON2_OK.rawValue)
    }

    @Test(
        "what is no hash, or asks for more than a computation may take, is refused",
        arguments: [
            "", "x", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=99999999999999999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=1,p=99$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=+1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=1,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFh====",
        ])
    func refused(text: String) { #expect(PasswordHash(text) == nil) }

    @Test("the right password is right, and a missing hash costs one computation as well")
    func verifies() async throws {
        let hashing = PasswordHashing(cost: Self.cheap)
        let text = try await hashing.hash(Password("correct horse"))
        #expect(hashing.computations == 1)
        #expect(try await hashing.verify(Password("correct horse"), against: text))
        #expect(try await !hashing.verify(Password("correct house"), against: text))
        #expect(try await !hashing.verify(Password("correct horse"), against: nil))
        #expect(try await !hashing.verify(Password("correct horse"), against: "damaged"))
        #expect(hashing.computations == 5)
        #expect(!hashing.isOutdated(text) && PasswordHashing(cost: .standard).isOutdated(text))
        #expect(try await hashing.hash(Password("correct horse")) != text)
    }

    @Test("when as many wait as may, one more is told to come again")
    func bounded() async throws {
        let hashing = PasswordHashing(threads: 1, waiting: 3, cost: PasswordCost(memory: 8 * 1024, passes: 2))
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    do {
                        _ = try await hashing.verify(Password("x"), against: nil)
                        return true
                    } catch {
                        #expect((error as? Refusal)?.code == "signin.busy" && (error as? Refusal)?.retryAfter != nil)
                        return false
                    }
                }
            }
            return await group.reduce(into: (done: 0, refused: 0)) { if $1 { $0.done += 1 } else { $0.refused += 1 } }
        }
        #expect(outcomes.done >= 3 && outcomes.refused > 0 && outcomes.done + outcomes.refused == 200)
        #expect(hashing.computations == outcomes.done && hashing.waiting == 0)
    }

    @Test("a pool that is closed refuses instead of waiting for ever")
    func closed() async throws {
        let hashing = PasswordHashing(cost: Self.cheap)
        hashing.close()
        await #expect(throws: Refusal(.unavailable, "signin.busy", "")) { try await hashing.hash(Password("x")) }
    }
}
