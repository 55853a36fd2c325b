import Cryptography
import Ingest
import Domain
import Ledger

/// Makes dead letters of entries, and bounds what the ledger keeps of them: anyone who may publish could fill its disk
/// otherwise.
struct DeadLetterMaker: Sendable {
    /// How many bytes are kept of a type, a payload or fields that are too large for any message.
    let keptBytes: Int

    /// Whatever is within the limits of a valid message is kept whole, so that it can be published again. Of anything
    /// larger, the head is kept, with the length and a digest by which the publisher's own copy can be recognised (for
    /// all fields together, the fingerprint).
    /// - Parameters:
    ///   - ids: nil: those that can be read from the payload.
    ///   - time: RFC 3339, UTC.
    func record(
        _ entry: StreamEntry, _ cause: InvalidMessage, ids: MessageIDs? = nil, at time: String
    ) -> NewDeadLetter {
        let remains = MessageDecoder.remains(of: entry, invalidBy: cause.reason)
        let isPayloadTruncated = (entry.payload?.count ?? 0) > Limit.payloadBytes
        let isTypeTruncated = (entry.type?.count ?? 0) > Limit.payloadBytes
        // The fields contain type and payload a second time.
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
