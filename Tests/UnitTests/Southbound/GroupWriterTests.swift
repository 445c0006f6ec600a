import Base
import Logging
import Synchronization
import Testing

@testable import Southbound

@Suite("Writing what devices say in groups")
struct GroupWriterTests {
    private struct Broken: Error {}

    /// The groups that were written.
    private final class Groups: Sendable {
        private let all = Mutex<[[Int]]>([])
        var written: [[Int]] { all.withLock { $0 } }
        func add(_ group: [Int]) { all.withLock { $0.append(group) } }
    }

    private static func with(
        most: Int, inGroup: Int, write: @escaping @Sendable ([Int]) async throws -> [Int],
        _ body: (GroupWriter<Int, Int>) async throws -> Void
    ) async throws {
        let writer = GroupWriter(
            most: most, inGroup: inGroup, groups: Counter(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, write: write)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await writer.run() }
            try await body(writer)
            writer.close()
            try await tasks.waitForAll()
        }
    }

    @Test("each gets its own outcome, and what waits together is written together")
    func outcomes() async throws {
        let groups = Groups()
        try await Self.with(most: 1000, inGroup: 10) { group in
            groups.add(group)
            await Task.yield()
            return group.map { $0 * 2 }
        } _: { writer in
            await withTaskGroup(of: Bool.self) { tasks in
                for number in 0..<100 {
                    tasks.addTask { (try? await writer.keep(number)) == number * 2 }
                }
                for await isRight in tasks { #expect(isRight) }
            }
        }
        #expect(groups.written.joined().sorted() == Array(0..<100))
        #expect(groups.written.allSatisfy { $0.count <= 10 })
    }

    @Test("what finds no room is refused at once, and nothing is taken after the end")
    func full() async throws {
        let gate = AsyncStream.makeStream(of: Void.self)
        let begun = AsyncStream.makeStream(of: Void.self)
        try await Self.with(most: 1, inGroup: 1) { group in
            begun.continuation.yield()
            for await _ in gate.stream { break }
            return group
        } _: { writer in
            async let first = writer.keep(1)
            for await _ in begun.stream { break }
            let refusal = await #expect(throws: Refusal.self) { try await writer.keep(2) }
            #expect(refusal?.kind == .limited && refusal?.retryAfter != nil)
            gate.continuation.finish()
            let kept = try await first
            #expect(kept == 1)
            writer.close()
            _ = await #expect(throws: Refusal.self) { try await writer.keep(3) }
        }
    }

    @Test("what the database does not take holds up nobody else")
    func poison() async throws {
        let gate = AsyncStream.makeStream(of: Void.self)
        try await Self.with(most: 100, inGroup: 100) { group in
            for await _ in gate.stream { break }
            if group.contains(3) { throw Broken() }
            return group
        } _: { writer in
            await withTaskGroup(of: (Int, Bool).self) { tasks in
                for number in 0..<10 {
                    tasks.addTask { (number, (try? await writer.keep(number)) != nil) }
                }
                while writer.count < 10 { await Task.yield() }
                gate.continuation.finish()
                for await (number, isKept) in tasks { #expect(isKept == (number != 3)) }
            }
        }
    }

    @Test("while the database is away nobody waits long")
    func away() async throws {
        let calls = Groups()
        let gate = AsyncStream.makeStream(of: Void.self)
        try await Self.with(most: 100, inGroup: 100) { group in
            calls.add(group)
            for await _ in gate.stream { break }
            throw Broken()
        } _: { writer in
            await withTaskGroup(of: Refusal.Kind?.self) { tasks in
                for number in 0..<50 {
                    tasks.addTask {
                        do throws(Refusal) {
                            _ = try await writer.keep(number)
                            return nil
                        } catch {
                            return error.kind
                        }
                    }
                }
                while writer.count < 50 { await Task.yield() }
                gate.continuation.finish()
                for await kind in tasks { #expect(kind == .unavailable) }
            }
        }
        // Each group, and two alone: not one after the other for all of them.
        #expect(calls.written.count <= 7, "\(calls.written.map(\.count))")
    }
}
