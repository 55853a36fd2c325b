import Domain

/// A dead letter as stored in the ledger.
package struct RecordedDeadLetter: Sendable {
    package var number: Int64
    package var entryID: String
    package var reason: String
    package var detail: String
    package var type: [UInt8]?
    package var payload: [UInt8]?
    package var fields: [UInt8]?
    /// The size in bytes of the names and values of the entry as read.
    package var bytes: Int64
    /// Whether the entry was stored completely; its content may have been removed since.
    package var isWhole: Bool
    /// SHA-256 of the whole payload, if only its first bytes were kept.
    package var payloadDigest: [UInt8]?
    /// The ids that could be read from it.
    package var ids: MessageIDs
    package var receivedAt: String
    package var status: DeadLetterStatus
    /// When it was replayed or discarded.
    package var resolvedAt: String?
    package var fingerprint: [UInt8]

    package init(
        number: Int64, entryID: String, reason: String, detail: String, type: [UInt8]?, payload: [UInt8]?,
        fields: [UInt8]?, bytes: Int64, isWhole: Bool, payloadDigest: [UInt8]?, ids: MessageIDs, receivedAt: String,
        status: DeadLetterStatus,
        resolvedAt: String?, fingerprint: [UInt8]
    ) {
        self.number = number
        self.entryID = entryID
        self.reason = reason
        self.detail = detail
        self.type = type
        self.payload = payload
        self.fields = fields
        self.bytes = bytes
        self.isWhole = isWhole
        self.payloadDigest = payloadDigest
        self.ids = ids
        self.receivedAt = receivedAt
        self.status = status
        self.resolvedAt = resolvedAt
        self.fingerprint = fingerprint
    }
}
