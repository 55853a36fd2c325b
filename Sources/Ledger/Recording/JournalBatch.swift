import Domain

/// What the ledger must record of one batch, in the order of the stream.
package struct JournalBatch: Sendable {
    /// The epoch and the catalogue version the batch was planned and decided with.
    package var epoch: Int64
    package var catalogueVersion: Int64
    /// The seq before the batch's first change.
    package var seqBefore: Int64
    package let records: [BatchRecord<DecidedCommand>]
    /// Those that its commands move. Found when it is made, as everything waits for the ledger while it records.
    package let counters: Set<CounterName>
    /// Entries whose attempts end with this batch.
    package var attemptsOver: [EntryIdentity]
    /// Numbers of the dead letters whose messages were published again and came back in this batch.
    package var replayed: [Int64]

    /// Whether there is nothing to write: everything was recorded before.
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

/// A message that can never be processed as it is.
package struct NewDeadLetter: Sendable, Equatable {
    package var key: EntryIdentity
    package var cause: InvalidMessage
    /// The raw bytes of the fields, or their heads; nil where the entry lacked one.
    package var type: [UInt8]?
    package var payload: [UInt8]?
    /// The whole entry, as a RESP array, if it was not just one type and one payload.
    package var fields: [UInt8]?
    /// Bytes of the entry's names and values, as it was read.
    package var bytes: Int64
    /// Whether nothing of the entry was left out.
    package var isWhole: Bool
    /// SHA-256 of the whole payload, if only its head is kept.
    package var payloadDigest: [UInt8]?
    package var ids: MessageIDs
    /// What was paid, for a checkout; nil: it is not a checkout.
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

/// Identifies an entry of the stream by its id and its content: a Redis that lost its tail may give an id twice.
package struct EntryIdentity: Sendable, Hashable {
    package var entryID: String
    /// Digest of the entry's fields.
    package var fingerprint: [UInt8]

    package init(entryID: String, fingerprint: [UInt8]) {
        self.entryID = entryID
        self.fingerprint = fingerprint
    }
}

/// The result of recording a batch.
package enum RecordResult: Sendable, Equatable {
    /// Committed; the position of the journal's last row (`LedgerHead.position`).
    case recorded(position: Int64)
    /// The ledger is at another epoch, catalogue version or seq than the batch was decided with, or has recorded a part
    /// of it; nothing was recorded now.
    case outdated(LedgerHead)
    /// The ledger's own figures give another decision than the gate's; nothing was recorded.
    case disagreed(Disagreement)
}
