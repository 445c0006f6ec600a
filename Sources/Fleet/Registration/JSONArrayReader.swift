import Base

/// Cuts a JSON array into its elements as its bytes come in, without keeping the whole.
///
/// It looks only for where elements end; each element is then parsed strictly by itself.
struct JSONArrayReader {
    /// Why the text is not such an array.
    struct Fault: Error, Equatable {
        var line: Int
        var message: String
    }

    private enum State {
        case beforeArray
        case beforeElement
        case element
        case string
        case escape
        case afterArray
    }

    private let elementLimit: Int
    private var state = State.beforeArray
    private var depth = 0
    private var line = 1
    private var elementLine = 1
    private var bytes: [UInt8] = []
    private var isFirst = true

    /// A reader of elements with at most this many bytes.
    init(elementLimit: Int = FleetLimits.registrationLineBytes) { self.elementLimit = elementLimit }

    /// Takes the next bytes and hands each element that they complete to `body`.
    mutating func consume(_ input: some Sequence<UInt8>, _ body: ([UInt8]) throws -> Void) throws {
        for byte in input {
            try take(byte, body)
            if byte == UInt8(ascii: "\n") { line += 1 }
        }
    }

    /// Checks that the array has ended.
    func finish() throws {
        guard state == .afterArray else { throw Fault(line: line, message: "the array does not end") }
    }

    private mutating func take(_ byte: UInt8, _ body: ([UInt8]) throws -> Void) throws {
        let isSpace = byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        switch state {
        case .beforeArray:
            if isSpace { return }
            guard byte == UInt8(ascii: "[") else { throw Fault(line: line, message: "the text must be an array") }
            state = .beforeElement
        case .afterArray:
            guard isSpace else { throw Fault(line: line, message: "there is something after the array") }
        case .beforeElement:
            if isSpace { return }
            if byte == UInt8(ascii: "]"), isFirst {
                state = .afterArray
                return
            }
            isFirst = false
            elementLine = line
            state = .element
            try takeInElement(byte, body)
        case .element: try takeInElement(byte, body)
        case .string:
            try keep(byte)
            if byte == UInt8(ascii: "\\") { state = .escape }
            if byte == UInt8(ascii: "\"") { state = .element }
        case .escape:
            try keep(byte)
            state = .string
        }
    }

    private mutating func takeInElement(_ byte: UInt8, _ body: ([UInt8]) throws -> Void) throws {
        switch byte {
        case UInt8(ascii: "\""): state = .string
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 0 {
                guard byte == UInt8(ascii: "]") else { throw Fault(line: line, message: "} without {") }
                try end(body)
                state = .afterArray
                return
            }
            depth -= 1
        case UInt8(ascii: ",") where depth == 0:
            try end(body)
            state = .beforeElement
            return
        default: break
        }
        try keep(byte)
    }

    private mutating func keep(_ byte: UInt8) throws {
        guard bytes.count < elementLimit else {
            throw Fault(line: elementLine, message: "the element is longer than \(elementLimit) bytes")
        }
        bytes.append(byte)
    }

    private mutating func end(_ body: ([UInt8]) throws -> Void) throws {
        let element = bytes
        bytes.removeAll(keepingCapacity: true)
        try body(element)
    }
}
