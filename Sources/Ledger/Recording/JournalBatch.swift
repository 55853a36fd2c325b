import Domain

/// The records of one batch that the ledger must write, in stream order.
package struct JournalBatch: Sendable {
    /// The epoch and the catalogue version with which the batch was planned and decided.
    package var epoch: Int64
    package var catalogueVersion: Int64
    /// The seq before the batch's first change.
    package var seqBefore: Int64
    package let records: [BatchRecord<DecidedCommand>]
    /// The counters that the batch's commands change. Computed on creation, because the pipeline waits while the ledger
    /// records.
    package let counters: Set<CounterName>
    /// Entries whose attempts are deleted with this batch.
    package var attemptsOver: [EntryIdentity]
    /// The numbers of the dead letters whose messages were published again and are contained in this batch.
    package var replayed: [Int64]

    /// Whether there is nothing to write, because everything was recorded before.
    package var isEmpty: Bool { records.isEmpty && attemptsOver.isEmpty && replayed.isEmpty }

    package init(
        epoch: Int64, catalogueVersion: Int64, seqBefore: Int64, records: [BatchRecord<DecidedCommand>] = [],
        attemptsOver: [EntryIdentity] = [], replayed: [Int64] = []
    ) {
        self.epoch = epoch
        self.catalogueVersion = catalogueVersion
        self.seqBefore = seqBefore
        self.records = records
        var counters: Set<CounterName> = []
        for case .command(let decided) in records {
            for movement in decided.planned.movements { counters.insert(movement.counter) }
        }
        self.counters = counters
        self.attemptsOver = attemptsOver
        self.replayed = replayed
    }
}

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

/// Identifies a stream entry by its id and its content: a Redis that has lost the end of the stream may assign an id
/// again.
package struct EntryIdentity: Sendable, Hashable {
    package var entryID: String
    /// The digest of the entry's fields.
    package var fingerprint: [UInt8]

    package init(entryID: String, fingerprint: [UInt8]) {
        self.entryID = entryID
        self.fingerprint = fingerprint
    }
}

/// The result of recording a batch.
package enum RecordResult: Sendable, Equatable {
    /// The batch was committed; `position` is that of the journal's last row (`LedgerHead.position`).
    case recorded(position: Int64)
    /// The ledger's epoch, catalogue version or seq is not the one that the batch was decided with, or part of the
    /// batch is already recorded. Nothing was recorded by this call.
    case outdated(LedgerHead)
    /// The ledger's own balances lead to a different decision from the gate's; nothing was recorded.
    case disagreed(Disagreement)
}
