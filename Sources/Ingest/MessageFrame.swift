import Domain
import StrictJSON

/// A message as one line of newline-delimited JSON: `{"type": "…", "payload": {…}}`.
///
/// Only the frame is read: the payload is checked to be JSON and small enough, but not decoded. Its bytes are sent
/// unchanged, and the consumer that reads them from the stream validates them.
package struct MessageFrame: Sendable, Equatable {
    package var type: String
    /// The range of the payload's bytes in the line.
    package var payload: Range<Int>

    /// Parses a line. Other keys are ignored. If the line is not JSON, the error contains the column.
    package static func parse(_ line: [UInt8]) throws(InvalidMessage) -> MessageFrame {
        let fields: Fields
        do throws(JSONError) {
            fields = try read(line)
        } catch {
            let reason: DeadLetterReason = error.kind == .invalidUTF8 ? .invalidUTF8 : .invalidJSON
            throw InvalidMessage(reason, "column \(error.column): \(error.message)")
        }
        guard fields.kind == .object else {
            throw InvalidMessage(.wrongType, "the line: must be an object, is \(fields.kind.rawValue)")
        }
        guard let typeKind = fields.typeKind else { throw InvalidMessage(.missingType, "type: missing") }
        guard let type = fields.type else {
            throw InvalidMessage(.wrongType, "type: must be a string, is \(typeKind.rawValue)")
        }
        guard let payloadKind = fields.payloadKind, let payload = fields.payload else {
            throw InvalidMessage(.missingPayload, "payload: missing")
        }
        guard payloadKind == .object else {
            throw InvalidMessage(.wrongType, "payload: must be an object, is \(payloadKind.rawValue)")
        }
        try MessageDecoder.checkSize(ofPayload: payload.count)
        return MessageFrame(type: type, payload: payload)
    }

    /// The fields of the line, valid or not.
    private struct Fields {
        var kind: JSONKind
        var typeKind: JSONKind?
        var type: String?
        var payloadKind: JSONKind?
        var payload: Range<Int>?
    }

    /// Reads the line to its end, so that a line that is not JSON is reported as invalid, whatever its fields contain.
    private static func read(_ line: [UInt8]) throws(JSONError) -> Fields {
        var scanner = try JSONScanner(line)
        var fields = Fields(kind: try scanner.peek())
        guard fields.kind == .object else {
            try scanner.skipValue()
            try scanner.finish()
            return fields
        }
        try scanner.enterObject()
        while let key = try scanner.nextKey() {
            switch key {
            case "type":
                let kind = try scanner.peek()
                fields.typeKind = kind
                if kind == .string {
                    fields.type = try scanner.readString()
                } else {
                    try scanner.skipValue()
                }
            case "payload":
                fields.payloadKind = try scanner.peek()
                fields.payload = try scanner.skipValue()
            default:
                try scanner.skipValue()
            }
        }
        try scanner.finish()
        return fields
    }
}
