import Inventory

/// What the ledger is to record of one batch, in the order of the stream.
package struct RecordBatch: Sendable {
    package enum Record: Sendable {
        case order(OrderRecord)
        case cancellation(CancellationRecord)
        case adjustment(AdjustmentRecord)
        case deadLetter(DeadLetterRecord)
    }

    /// The epoch and the catalogue version the batch was decoded and decided with.
    package var epoch: Int64
    package var catalogueVersion: Int64
    /// The seq before the batch's first change.
    package var seqBefore: Int64
    package var records: [Record]
    /// Entries whose attempts are over with this batch.
    package var attemptsOver: [EntryKey]
    /// Dead letters whose messages were published again and came back in this batch, by their numbers.
    package var replayed: [Int64]

    /// Nothing to write: all of it was recorded before.
    package var isEmpty: Bool { records.isEmpty && attemptsOver.isEmpty && replayed.isEmpty }

    package init(
        epoch: Int64, catalogueVersion: Int64, seqBefore: Int64, records: [Record] = [],
        attemptsOver: [EntryKey] = [], replayed: [Int64] = []
    ) {
        self.epoch = epoch
        self.catalogueVersion = catalogueVersion
        self.seqBefore = seqBefore
        self.records = records
        self.attemptsOver = attemptsOver
        self.replayed = replayed
    }
}

/// An order with the gate's decision.
package struct OrderRecord: Sendable {
    package var order: Order
    package var decision: Decision
    package var decidedAt: String
    package var entryID: String

    package init(order: Order, decision: Decision, decidedAt: String, entryID: String) {
        self.order = order
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}

/// A cancellation with the gate's answer.
package struct CancellationRecord: Sendable {
    package var cancellation: Cancellation
    /// What it takes from the order, as the ledger had it when the gate was asked; checked again while it is recorded.
    package var releases: [Release]
    package var digest: [UInt8]
    /// nil: no counter changed.
    package var seq: Int64?
    package var decidedAt: String
    package var entryID: String

    package init(
        cancellation: Cancellation, releases: [Release], digest: [UInt8], seq: Int64?, decidedAt: String,
        entryID: String
    ) {
        self.cancellation = cancellation
        self.releases = releases
        self.digest = digest
        self.seq = seq
        self.decidedAt = decidedAt
        self.entryID = entryID
    }

    /// What goes back to the counters.
    package var givenBack: [SKUUnits] { cancellation.givenBack(releases) }
}

/// An adjustment with the gate's answer.
package struct AdjustmentRecord: Sendable {
    package var adjustment: Adjustment
    package var digest: [UInt8]
    package var seq: Int64
    package var decidedAt: String
    package var entryID: String

    package init(adjustment: Adjustment, digest: [UInt8], seq: Int64, decidedAt: String, entryID: String) {
        self.adjustment = adjustment
        self.digest = digest
        self.seq = seq
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}

/// A message that can never be processed as it is.
package struct DeadLetterRecord: Sendable, Equatable {
    package var key: EntryKey
    package var cause: InvalidMessage
    /// The raw bytes of the fields, or their heads; nil where the entry lacked one.
    package var type: [UInt8]?
    package var payload: [UInt8]?
    /// The whole entry, as a RESP array, where it was not just one type and one payload.
    package var fields: [UInt8]?
    /// Of the entry's names and values, as it came.
    package var bytes: Int64
    /// Nothing of the entry was left out.
    package var isWhole: Bool
    /// SHA-256 of the whole payload, where only its head is kept.
    package var payloadDigest: [UInt8]?
    package var ids: MessageIDs
    /// Of a checkout: what was paid. Nil: it is none.
    package var payment: Payment?
    package var receivedAt: String

    package init(
        key: EntryKey, cause: InvalidMessage, type: [UInt8]?, payload: [UInt8]?, fields: [UInt8]?, bytes: Int64,
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

/// Names an entry of the stream by its id and its content: a Redis that lost its tail may give an id twice.
package struct EntryKey: Sendable, Hashable {
    package var entryID: String
    /// Digest of the entry's fields.
    package var fingerprint: [UInt8]

    package init(entryID: String, fingerprint: [UInt8]) {
        self.entryID = entryID
        self.fingerprint = fingerprint
    }
}

/// What came of recording a batch.
package enum RecordAnswer: Sendable, Equatable {
    /// Committed; the ledger has now recorded this many rows (`LedgerHead.records`).
    case recorded(records: Int64)
    /// The ledger is at another epoch, catalogue version or seq than the batch was decided with; nothing was recorded.
    case outdated(LedgerHead)
    /// The ledger's own figures give another decision than the gate's; nothing was recorded.
    case disagreed(Disagreement)
}

/// The arbiter's finding: what was decided is not what the ledger's own figures give.
package enum Disagreement: Sendable, Equatable, CustomStringConvertible {
    /// - Parameter ledger: nil: the order fits; else why it does not.
    case order(Identifier, gate: Decision, ledger: Shortage?)
    /// The order owns something else than when the cancellation was decided, or its seq does not go on.
    case cancellation(Identifier)
    /// More would be taken away than was added, or its seq does not go on.
    case adjustment(Identifier)
    /// The ledger's own figure of this counter is too low: less is sold than is to be given back.
    case miscounted(CounterName)

    package var description: String {
        switch self {
        case .order(let id, _, _): "order \(id)"
        case .cancellation(let id): "cancellation \(id)"
        case .adjustment(let id): "adjustment \(id)"
        case .miscounted(let counter): "what \(counter.level.rawValue) \(counter.id) has sold"
        }
    }
}
