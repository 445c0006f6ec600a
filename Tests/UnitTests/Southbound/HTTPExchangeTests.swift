import NIOCore
import Testing

@testable import Southbound

/// Transcripts: what comes, and what is to be done.
@Suite("HTTP exchange")
struct HTTPExchangeTests {
    typealias Exchange = HTTPExchange<String>

    /// An action in words, so that a transcript can be compared.
    static func words(_ action: Exchange.Action) -> String {
        switch action {
        case .nothing: "nothing"
        case .sendContinue: "continue"
        case .send(let answer, let closing): "send \(answer.status.rawValue)\(closing ? " close" : "")"
        case .work(let work, let body): "work \(work) \(String(buffer: body))"
        case .close: "close"
        }
    }

    static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: UInt8(ascii: "x"), count: count) }

    @Test("a request without a body is worked on at its end, and the connection stays")
    func simple() {
        var exchange = Exchange()
        #expect(
            Self.words(exchange.head(.none, expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 0)))
                == "nothing")
        #expect(Self.words(exchange.end()) == "work a ")
        #expect(exchange.isWorking)
        #expect(Self.words(exchange.answer(.done)) == "send 204")
        #expect(exchange.isAwaiting)
    }

    @Test("a body is collected in pieces")
    func pieces() {
        var exchange = Exchange()
        _ = exchange.head(.length(4), expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 4))
        #expect(Self.words(exchange.body(ByteBuffer(string: "ab"))) == "nothing")
        #expect(Self.words(exchange.body(ByteBuffer(string: "cd"))) == "nothing")
        #expect(Self.words(exchange.end()) == "work a abcd")
    }

    @Test("the client may send its body only when it is wanted")
    func continuing() {
        var exchange = Exchange()
        let wanted = exchange.head(.length(4), expectsContinue: true, keepsAlive: true, plan: .collect("a", limit: 4))
        #expect(Self.words(wanted) == "continue")
        exchange = Exchange()
        let refused = exchange.head(
            .length(4), expectsContinue: true, keepsAlive: true, plan: .answer(.bare(.unauthorized)))
        #expect(Self.words(refused) == "send 401 close")
        exchange = Exchange()
        let empty = exchange.head(.none, expectsContinue: true, keepsAlive: true, plan: .collect("a", limit: 4))
        #expect(Self.words(empty) == "nothing")
    }

    @Test("a small refused body is dropped and the connection stays")
    func dropping() {
        var exchange = Exchange()
        let head = exchange.head(.length(8), expectsContinue: false, keepsAlive: true, plan: .answer(.bare(.notFound)))
        #expect(Self.words(head) == "send 404")
        #expect(Self.words(exchange.body(Self.bytes(8))) == "nothing")
        #expect(Self.words(exchange.end()) == "nothing")
        #expect(exchange.isAwaiting)
    }

    @Test(
        "a large, endless or unannounced refused body ends the connection",
        arguments: [Exchange.Framing.length(Limits.droppedBodyBytes + 1), .chunked])
    func largeRefusal(framing: Exchange.Framing) {
        var exchange = Exchange()
        let head = exchange.head(framing, expectsContinue: false, keepsAlive: true, plan: .answer(.bare(.notFound)))
        #expect(Self.words(head) == "send 404 close")
        #expect(Self.words(exchange.body(Self.bytes(8))) == "nothing")
        #expect(Self.words(exchange.end()) == "nothing")
        #expect(exchange.isClosing)
    }

    @Test("a body over its limit is refused, announced or not")
    func tooLarge() {
        var exchange = Exchange()
        let head = exchange.head(.length(5), expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 4))
        #expect(Self.words(head) == "send 413")
        exchange = Exchange()
        _ = exchange.head(.chunked, expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 4))
        #expect(Self.words(exchange.body(Self.bytes(4))) == "nothing")
        #expect(Self.words(exchange.body(Self.bytes(1))) == "send 413 close")
        #expect(Self.words(exchange.end()) == "nothing")
    }

    @Test("a client that wants to go is let go")
    func closing() {
        var exchange = Exchange()
        _ = exchange.head(.none, expectsContinue: false, keepsAlive: false, plan: .collect("a", limit: 0))
        _ = exchange.end()
        #expect(Self.words(exchange.answer(.done)) == "send 204 close")
    }

    @Test("when the server stops, the request at hand is the last")
    func finishing() {
        var exchange = Exchange()
        let canEnd = exchange.finish()
        #expect(canEnd)
        exchange = Exchange()
        _ = exchange.head(.none, expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 0))
        let mayEndNow = exchange.finish()
        #expect(!mayEndNow)
        _ = exchange.end()
        #expect(Self.words(exchange.answer(.done)) == "send 204 close")
    }

    @Test("an answer that comes after the end goes nowhere")
    func late() {
        var exchange = Exchange()
        _ = exchange.head(.none, expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 0))
        _ = exchange.end()
        exchange.close()
        #expect(Self.words(exchange.answer(.done)) == "nothing")
    }

    @Test("a body can be given up while it comes")
    func givenUp() {
        var exchange = Exchange()
        _ = exchange.head(.length(100), expectsContinue: false, keepsAlive: true, plan: .collect("a", limit: 100))
        _ = exchange.body(Self.bytes(10))
        #expect(Self.words(exchange.answer(.bare(.serviceUnavailable, closes: true))) == "send 503 close")
    }
}
