import Inventory

/// What the ledger is to record of one batch, in the order of the stream.
package struct RecordBatch: Sendable {
    package enum Record: Sendable {
        case order(OrderRecord)
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

    package init(
        epoch: Int64, catalogueVersion: Int64, seqBefore: Int64, records: [Record] = [], attemptsOver: [EntryKey] = []
    ) {
        self.epoch = epoch
        self.catalogueVersion = catalogueVersion
        self.seqBefore = seqBefore
        self.records = records
        self.attemptsOver = attemptsOver
    }
}

/// An order with the gate's decision.
package struct OrderRecord: Sendable {
    package var checkout: Checkout
    package var demand: [Demand]
    package var digest: [UInt8]
    package var decision: Decision
    package var decidedAt: String
    package var entryID: String

    package init(
        checkout: Checkout, demand: [Demand], digest: [UInt8], decision: Decision, decidedAt: String, entryID: String
    ) {
        self.checkout = checkout
        self.demand = demand
        self.digest = digest
        self.decision = decision
        self.decidedAt = decidedAt
        self.entryID = entryID
    }
}

/// A message that can never be processed as it is, whole.
package struct DeadLetterRecord: Sendable, Equatable {
    package var key: EntryKey
    package var rejection: Rejection
    /// The raw bytes of the fields; nil where the entry lacked one.
    package var type: [UInt8]?
    package var payload: [UInt8]?
    /// The whole entry, as a RESP array, where it was not just one type and one payload.
    package var fields: [UInt8]?
    /// Where the message could be read so far.
    package var orderID: Identifier?
    package var receivedAt: String

    package init(
        key: EntryKey, rejection: Rejection, type: [UInt8]?, payload: [UInt8]?, fields: [UInt8]?,
        orderID: Identifier?, receivedAt: String
    ) {
        self.key = key
        self.rejection = rejection
        self.type = type
        self.payload = payload
        self.fields = fields
        self.orderID = orderID
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
    /// Committed; the ledger has now recorded this many orders and dead letters, ever.
    case recorded(records: Int64)
    /// The ledger is at another epoch, catalogue version or seq than the batch was decided with; nothing was recorded.
    case outdated(LedgerHead)
    /// The ledger's own figures give another decision than the gate's; nothing was recorded.
    case disagreed(Disagreement)
}

/// The arbiter's finding: the counters were wrong.
package struct Disagreement: Sendable, Equatable {
    package var orderID: Identifier
    package var gate: Decision
    /// nil: the order fits; else why it does not.
    package var ledger: Refusal?
}
