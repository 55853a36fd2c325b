import Intake
import Inventory
import Ledger

/// Makes dead letters of entries, and bounds what is kept of them: anybody who may publish could fill the ledger's disk
/// otherwise.
struct DeadLetterMaker: Sendable {
    /// Of a type or payload that is too large for any message, how many bytes are kept.
    let keptBytes: Int

    /// What a valid message may have is kept whole, so that it can be published again. Of more, the head is kept, and
    /// the length and a digest by which the publisher's own copy can be told.
    func record(_ entry: StreamEntry, _ rejection: Rejection, orderID: Identifier?) -> DeadLetterRecord {
        let payload = entry.payload
        let isPayloadCut = (payload?.count ?? 0) > Limit.payloadBytes
        let isTypeCut = (entry.type?.count ?? 0) > Limit.payloadBytes
        let areFieldsCut = !entry.isPlain && entry.size > 2 * Limit.payloadBytes
        func kept(_ bytes: SharedBytes?, isCut: Bool) -> [UInt8]? {
            isCut ? bytes?.prefix(keptBytes) : bytes?.copy
        }
        return DeadLetterRecord(
            key: EntryKey(entryID: entry.id, fingerprint: entry.fingerprint), rejection: rejection,
            type: kept(entry.type, isCut: isTypeCut), payload: kept(payload, isCut: isPayloadCut),
            fields: entry.isPlain || areFieldsCut || entry.unreadReason != nil ? nil : entry.encodedFields,
            bytes: Int64(entry.size),
            isWhole: !isPayloadCut && !isTypeCut && !areFieldsCut && entry.unreadReason == nil,
            payloadDigest: isPayloadCut ? payload.map { SHA256.digest($0.copy) } : nil,
            orderID: orderID, receivedAt: Timestamp.now())
    }
}
