import Base
import Fleet
import Operations

@testable import Southbound

extension Probe {
    /// What update clients send: bodies, targets and ranges. Whatever the bytes, a body is refused by its own code, and
    /// what is read of the others lies within its bounds.
    public static func ddi(_ bytes: [UInt8]) throws {
        try body("ddi.feedback") {
            let feedback = try DDIFeedback(bytes)
            try check(feedback.details.count <= Limits.ddiDetails, "details are few")
            try check(
                !feedback.details.contains { $0.utf8.contains(0) }, "no detail has a zero, which no database keeps")
        }
        try body("ddi.attributes") {
            let told = try DDIAttributes(bytes)
            try check((1...FleetLimits.attributes).contains(told.attributes.count), "some attributes, and not too many")
            let content =
                switch told.report {
                case .reported(let bytes), .attributes(let bytes): bytes
                case .events, .look: [UInt8]()
                }
            let read = try JSONValue(parsing: content)
            try check(read["attributes"] != nil, "attributes are a report of the device")
        }
        try body("ddi.confirmation") {
            try check(try DDIConfirmation(bytes).details.count <= Limits.ddiDetails, "details are few")
        }
        try body("ddi.autoConfirm") {
            let wish = try AutoConfirmWish(bytes)
            try check(
                wish.initiator.utf8.count <= Limits.initiatorBytes && wish.remark.utf8.count <= Limits.remarkBytes,
                "who agrees, and why, is bounded")
        }
        try body("task.status") {
            let answer = try ThingsBoardCall.answer(bytes)
            try check(answer.report == .succeeded || answer.report == .failed, "an answer closes its task")
        }
        try body("task.status") {
            let status = try StatusReport(bytes)
            try check(status.details.count <= Limits.ddiDetails + 1, "details are few")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return }
        _ = (MediaRange.taken([text]), MediaRange.brought(text))
        if case .ddi(let path)? = DeviceRoute(target: "/acme/controller/v1/\(text)") {
            try check((0...Limits.ddiHistory).contains(path.history), "history is bounded")
            try check(path.prefix.utf8.count <= Limits.targetBytes, "a prefix is part of the target")
        }
        if let base = PollCaller.base(host: text, prefix: "") {
            try check(JSONValue.string(base).canonical == "\"\(base)\"", "a server's name needs no escape")
        }
        guard case .parts(let parts) = ByteRanges(text, size: 1000) else { return }
        try check((1...Limits.ranges).contains(parts.count), "some parts, and not too many")
        var last: Int64 = 0
        for part in parts {
            try check(
                part.lowerBound >= last && !part.isEmpty && part.upperBound <= 1000,
                "parts are in order, within the file")
            last = part.upperBound
        }
    }

    private static func body(_ code: String, _ read: () throws -> Void) throws {
        do {
            try read()
        } catch let refusal as Refusal {
            try check(refusal.code == code, "a body is refused with its own code: \(refusal)")
        }
    }
}
