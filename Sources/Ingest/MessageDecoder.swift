import Domain
import Spelling

/// Decodes a stream entry's two fields into a command, or returns why they can never be a command.
///
/// The result depends only on the bytes: `CatalogueIndex` checks whether a product exists.
package enum MessageDecoder {
    /// Decodes a message.
    ///
    /// The first of these that applies determines the reason: no `type`, no `payload`, payload too large, unknown type,
    /// not UTF-8, not JSON (anywhere in the payload), then the fields in the payload's order; a missing field counts as
    /// being at the end of its object.
    package static func decode(type: ByteSlice?, payload: ByteSlice?) -> Result<Command, InvalidMessage> {
        do throws(InvalidMessage) {
            return .success(try command(type: type, payload: payload))
        } catch {
            return .failure(error)
        }
    }

    private static func command(type: ByteSlice?, payload: ByteSlice?) throws(InvalidMessage) -> Command {
        guard let type else { throw InvalidMessage(.missingType, "the entry has no field type") }
        guard let payload else { throw InvalidMessage(.missingPayload, "the entry has no field payload") }
        try checkSize(ofPayload: payload.count)
        guard let kind = Command.Kind.allCases.first(where: { type.equals($0.rawValue) }) else {
            throw InvalidMessage(
                .unknownType, "type: \(shown(type)) is not a type this version knows\(hint(forType: type))")
        }
        return try FieldReader.read(payload) { fields throws(InvalidMessage) in try fields.command(kind) }
    }

    static func checkSize(ofPayload bytes: Int) throws(InvalidMessage) {
        if bytes > Limit.payloadBytes {
            throw InvalidMessage(
                .payloadTooLarge, "payload: has \(bytes) bytes; at most \(Limit.payloadBytes) are allowed")
        }
    }

    /// Formats a type for a log line: quoted if it is short and plain, otherwise only its size.
    private static func shown(_ type: ByteSlice) -> String {
        plainText(type).map { "\"\($0)\"" } ?? "a value of \(type.count) bytes"
    }

    /// Suggests the type that was probably meant.
    private static func hint(forType type: ByteSlice) -> String {
        let meant = plainText(type).flatMap {
            SpellingSuggestion.closest(to: $0, among: Command.Kind.allCases.map(\.rawValue))
        }
        return meant.map { "; did you mean \"\($0)\"?" } ?? ""
    }

    private static func plainText(_ type: ByteSlice) -> String? {
        let isPlain = type.count <= 64 && type.copy.allSatisfy { 0x20..<0x7F ~= $0 }
        return isPlain ? String(decoding: type.copy, as: UTF8.self) : nil
    }
}
