import Domain

/// A message that can never be processed in its current form.
package struct NewDeadLetter: Sendable, Equatable {
    package var key: EntryIdentity
    package var cause: InvalidMessage
    /// The raw bytes of the fields, or their first bytes; `nil` if the entry lacks the field.
    package var type: [UInt8]?
    package var payload: [UInt8]?
    /// The whole entry as a RESP array, if it is not just one type and one payload.
    package var fields: [UInt8]?
    /// The size in bytes of the names and values of the entry as read.
    package var bytes: Int64
    /// Whether the entry was kept completely.
    package var isWhole: Bool
    /// SHA-256 of the whole payload, if only its first bytes are kept.
    package var payloadDigest: [UInt8]?
    package var ids: MessageIDs
    /// The payment of a checkout; `nil` if the message is not a checkout.
    package var payment: Payment?
    package var receivedAt: String

    package init(
        key: EntryIdentity, cause: InvalidMessage, type: [UInt8]?, payload: [UInt8]?, fields: [UInt8]?, bytes: Int64,
        isWhole: Bool = true, payloadDigest: [UInt8]? = nil, ids: MessageIDs, payment: Payment? = nil,
        receivedAt: String
    ) {
        self.key = key
        self.cause = cause
        self.type = type
        self.payload = payload
        self.fields = fields
        self.bytes = bytes
        self.isWhole = isWhole
        self.payloadDigest = payloadDigest
        self.ids = ids
        self.payment = payment
        self.receivedAt = receivedAt
    }
}
