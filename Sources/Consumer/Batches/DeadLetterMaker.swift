import Cryptography
import Ingest
import Domain
import Ledger

/// Makes dead letters of entries, and limits how much of them the ledger keeps. Otherwise any publisher could fill the
/// ledger's disk.
struct DeadLetterMaker: Sendable {
    /// How many bytes are kept of a type, a payload or fields that exceed the limits of a valid message.
    let keptBytes: Int

    /// Makes the dead letter of an entry. Parts within the limits of a valid message are kept whole, so that the
    /// message can be published again. Of a larger part only the head is kept, with the length and a digest by which
    /// the publisher's own copy can be recognised (for all fields together, the fingerprint).
    /// - Parameters:
    ///   - ids: the ids of the message; if `nil`, those that can be read from the payload.
    ///   - time: when the entry was received, RFC 3339, UTC.
    func record(
        _ entry: StreamEntry, _ cause: InvalidMessage, ids: MessageIDs? = nil, at time: String
    ) -> NewDeadLetter {
        let remains = MessageDecoder.remains(of: entry, invalidBy: cause.reason)
        let isPayloadTruncated = (entry.payload?.count ?? 0) > Limit.payloadBytes
        let isTypeTruncated = (entry.type?.count ?? 0) > Limit.payloadBytes
        // The fields contain the type and payload a second time.
        let areFieldsTruncated = !entry.isPlain && entry.size > Limit.payloadBytes + keptBytes
        func kept(_ bytes: ByteSlice?, isTruncated: Bool) -> [UInt8]? {
            isTruncated ? bytes?.prefix(keptBytes) : bytes?.copy
        }
        var fields: [UInt8]?
        if !entry.isPlain, entry.unreadReason == nil {
            fields = areFieldsTruncated ? Array(entry.encodedFields.prefix(keptBytes)) : entry.encodedFields
        }
        return NewDeadLetter(
            key: EntryIdentity(entry), cause: cause,
            type: kept(entry.type, isTruncated: isTypeTruncated),
            payload: kept(entry.payload, isTruncated: isPayloadTruncated),
            fields: fields, bytes: Int64(entry.size),
            isWhole: !isPayloadTruncated && !isTypeTruncated && !areFieldsTruncated && entry.unreadReason == nil,
            payloadDigest: isPayloadTruncated ? entry.payload.map { SHA256.digest($0.copy) } : nil,
            ids: ids ?? remains.ids, payment: remains.payment, receivedAt: time)
    }
}
