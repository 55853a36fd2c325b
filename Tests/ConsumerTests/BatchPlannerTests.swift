import Ingest
import Domain
import Ledger
import Testing

@testable import Consumer

@Suite("The planner")
struct BatchPlannerTests {
    /// "cube" has the variants "black" and "white", "lamp" has none, "old" is closed.
    private static let catalogue = CatalogueIndex(
        version: 3,
        products: [
            "cube": .init(isActive: true, hasVariants: true), "lamp": .init(isActive: true, hasVariants: false),
            "old": .init(isActive: false, hasVariants: false),
        ],
        variants: [
            "black": .init(productID: "cube", isActive: true), "white": .init(productID: "cube", isActive: true),
        ])

    private static func plan(
        _ entries: [DecodedEntry], by prior: PriorState = PriorState(), recording: UnrecordedBatch? = nil,
        maximumMovements: Int = 100, requestedReplays: [[UInt8]: [Int64]] = [:]
    ) -> PlannedBatch {
        let context = PlanningContext(
            catalogue: catalogue, recording: recording, maximumMovements: maximumMovements,
            deadLetters: DeadLetterMaker(keptBytes: 99), requestedReplays: requestedReplays)
        return BatchPlanner(entries, context, at: "").plan(by: prior)
    }

    private static func lookup(_ entries: [DecodedEntry], recording: UnrecordedBatch? = nil) -> BatchLookup {
        let context = PlanningContext(
            catalogue: catalogue, recording: recording, maximumMovements: 100,
            deadLetters: DeadLetterMaker(keptBytes: 99))
        return BatchPlanner(entries, context, at: "").lookup
    }

    /// What the ledger returns for a recorded order of two lamps.
    private static func prior(_ id: Identifier, of command: Command) -> PriorState {
        var prior = PriorState()
        let outcome = Outcome(kind: .accepted, ids: [.placeOrder: id], seq: 7, units: 2, decidedAt: "then")
        prior.decisions[Command.Key(.placeOrder, id)] = PriorDecision(
            digest: command.digest,
            outcome: RecordedOutcome(outcome: outcome, place: EpochPosition(epoch: 1, position: 7)))
        return prior
    }

    // MARK: - New, known and impossible commands

    @Test("has new commands decided, in the order of the stream, with the movements they make")
    func commands() {
        var prior = PriorState()
        prior.owned["sold"] = [SKUUnits(SKU("lamp"), 3)]
        let batch = Self.plan(
            [.order(1, "a", ("cube", "black", 2)), .order(2, "b", ("lamp", nil, 1)), .cancel(3, "c", order: "sold")],
            by: prior)
        #expect(batch.planned == ["record 0", "record 1", "record 2"])
        #expect(batch.commands.map(\.command.key.id) == ["a", "b", "c"])
        #expect(
            batch.commands.map(\.movements) == [
                [Movement(.product("cube"), sold: 2), Movement(.variant("black"), sold: 2)],
                [Movement(.product("lamp"), sold: 1)], [Movement(.product("lamp"), sold: -3)],
            ])
        #expect(batch.cancelledOrders == ["sold"] && batch.catalogueVersion == 3)
    }

    @Test("repeats the outcome of what is recorded: in the ledger, in this batch, or in the one before it")
    func replays() throws {
        let order = DecodedEntry.order(1, "a", ("lamp", nil, 2))
        let known = Self.plan([order], by: Self.prior("a", of: try order.command.get()))
        #expect(known.planned == ["known accepted seq 7 at 1:7"] && known.records.isEmpty)
        let twice = Self.plan([order, .order(2, "a", ("lamp", nil, 2))])
        #expect(twice.planned == ["record 0", "replay of 0"] && twice.commands.count == 1)
        let recording = try Self.decided([order, .junk(2)], .accepted(seq: 5), seqBefore: 4)
        let after = Self.plan([.order(3, "a", ("lamp", nil, 2))], recording: recording)
        #expect(after.planned == ["known accepted seq 5 at 0 before"])
    }

    @Test("makes a dead letter of an id that is reused with other content, wherever its first content is")
    func conflicts() throws {
        let (two, three) = (DecodedEntry.order(1, "a", ("lamp", nil, 2)), DecodedEntry.order(2, "a", ("lamp", nil, 3)))
        #expect(Self.plan([three], by: Self.prior("a", of: try two.command.get())).reasons == [.orderConflict])
        #expect(Self.plan([two, three]).planned == ["record 0", "record 1"])
        #expect(Self.plan([two, three]).reasons == [.orderConflict])
        let recording = try Self.decided([two], .accepted(seq: 5), seqBefore: 4)
        #expect(Self.plan([three], recording: recording).reasons == [.orderConflict])
    }

    @Test("makes a dead letter of what the catalogue, the ledger or the decoder finds wrong, and continues")
    func invalid() {
        var prior = PriorState()
        prior.balances[.product("lamp")] = Balance(sold: 9, adjusted: 1, cap: nil)
        #expect(Self.plan([.adjust(1, "x", "lamp", -2)], by: prior).reasons == [.adjustmentTooLarge])
        let batch = Self.plan([
            .order(1, "a", ("old", nil, 1)), .junk(2), .cancel(3, "c", order: "nowhere"),
            .order(4, "b", ("lamp", nil, 1)),
        ])
        #expect(batch.reasons == [.productClosed, .missingPayload, .unknownOrder])
        #expect(batch.planned == ["record 0", "record 1", "record 2", "record 3"] && batch.commands.count == 1)
    }

    @Test("leaves a dead letter dead even if it could be processed now, and identifies it by its content")
    func deadLetters() {
        let entry = DecodedEntry.order(1, "a", ("lamp", nil, 1))
        var prior = PriorState()
        prior.deadLetters[EntryIdentity(entry.entry)] = RecordedOutcome(
            outcome: Outcome(kind: .deadLetter, reason: "product_closed", decidedAt: "then"),
            place: EpochPosition(epoch: 1, position: 7))
        let fingerprint = entry.entry.fingerprint
        let again = Self.plan([entry], by: prior, requestedReplays: [fingerprint: [8]])
        // It is the old message: the request for a replay stays open.
        #expect(again.planned == ["known dead_letter at 1:7"] && again.replayed == [])
        // Another message that was given the same id.
        #expect(Self.plan([.order(1, "b", ("lamp", nil, 1))], by: prior).planned == ["record 0"])
    }

    @Test("makes one dead letter of an entry that is delivered twice, in one batch and while another is recorded")
    func deadLetterTwice() throws {
        let twice = Self.plan([.junk(2), .order(3, "a", ("lamp", nil, 1)), .junk(2), .junk(4)])
        #expect(twice.planned == ["record 0", "record 1", "replay of 0", "record 2"] && twice.records.count == 3)
        let recording = try Self.decided(
            [.order(1, "b", ("lamp", nil, 1)), .junk(2)], .accepted(seq: 5), seqBefore: 4)
        let again = Self.plan([.junk(2), .junk(4)], recording: recording)
        #expect(again.planned == ["known dead_letter at 1 before", "record 0"])
    }

    @Test("ends the request for a replay with the republished message, whatever its outcome")
    func wishes() {
        let entries: [DecodedEntry] = [.order(1, "a", ("lamp", nil, 1)), .junk(2), .order(3, "b", ("lamp", nil, 1))]
        let wanted = [entries[0].entry.fingerprint: [4, 5] as [Int64], entries[1].entry.fingerprint: [6]]
        #expect(Self.plan(entries, requestedReplays: wanted).replayed == [4, 5, 6])
    }

    // MARK: - Cancellations

    @Test("takes each cancellation of an order from the units that earlier ones left")
    func cancellations() {
        var prior = PriorState()
        prior.owned["o"] = [SKUUnits(SKU("cube", "black"), 3), SKUUnits(SKU("lamp"), 1)]
        let batch = Self.plan(
            [
                .cancel(1, "first", order: "o", [("cube", "black", 2)]),
                .cancel(2, "second", order: "o", [("cube", "black", 2)], restock: false),
                .cancel(3, "rest", order: "o"), .cancel(4, "nothing", order: "o"),
            ], by: prior)
        let (cube, black) = (CounterName.product("cube"), CounterName.variant("black"))
        #expect(
            batch.commands.map(\.movements) == [
                [Movement(cube, sold: -2), Movement(black, sold: -2)],
                [Movement(cube, adjusted: 1), Movement(black, adjusted: 1)],
                [Movement(.product("lamp"), sold: -1)], [],
            ])
    }

    // MARK: - Where a batch ends

    @Test("asks the ledger for what the batch's entries depend on, and for nothing else")
    func asks() {
        let lookup = Self.lookup([.order(1, "a", ("lamp", nil, 1)), .junk(2), .cancel(3, "c", order: "o")])
        #expect(lookup.keys == [Command.Key(.placeOrder, "a"), Command.Key(.cancel, "c")])
        #expect(lookup.entryIDs == ["1-0", "2-0", "3-0"])
        #expect(lookup.orders == ["o"] && lookup.adjustedCounters == [])
        #expect(
            Self.lookup([.adjust(1, "x", "cube", 2, variant: "black")]).adjustedCounters
                == [.product("cube"), .variant("black")])
    }

    @Test("ends a batch before a cancellation whose order is in it, or in the batch that is being recorded")
    func cancellationsWait() throws {
        let order = DecodedEntry.order(1, "a", ("lamp", nil, 2))
        let cancel = DecodedEntry.cancel(2, "c", order: "a")
        #expect(Self.lookup([order, cancel, .junk(3)]).entryIDs == ["1-0"])
        let recording = try Self.decided([order], .accepted(seq: 5), seqBefore: 4)
        #expect(Self.lookup([cancel], recording: recording).entryIDs == [])
        #expect(Self.plan([cancel], recording: recording).entries.isEmpty)
        #expect(Self.lookup([.cancel(2, "c", order: "other")], recording: recording).entryIDs == ["2-0"])
        // The batch before it already cancels part of the order.
        var prior = PriorState()
        prior.owned["o"] = [SKUUnits(SKU("lamp"), 2)]
        let cancelling = try Self.decided(
            [.cancel(1, "c1", order: "o", [("lamp", nil, 1)])], .accepted(seq: 5), seqBefore: 4, by: prior)
        #expect(Self.lookup([.cancel(2, "c2", order: "o")], recording: cancelling).entryIDs == [])
    }

    @Test(
        "puts an adjustment first in its batch, even if a Redis that lost its tail reused its id",
        arguments: [2, 1])
    func adjustments(secondEntry: Int) throws {
        let both = [DecodedEntry.adjust(1, "a", "lamp", -1), .adjust(secondEntry, "b", "lamp", -1)]
        // Together they could take away units that only one of them may take.
        #expect(Self.plan(both).entries.count == 1)
        let recording = try Self.decided([.junk(9)], nil, seqBefore: 4)
        #expect(Self.plan(both, recording: recording).entries.isEmpty)
    }

    @Test("puts refunds first in their batch, with no batch being recorded; they move nothing")
    func refunds() throws {
        var prior = PriorState()
        prior.payments["o"] = []
        // Paid by a dead letter only.
        prior.payments["d"] = [Payment(orderID: "d", currency: "usd")]
        let refunds = [DecodedEntry.refund(1, "r1", order: "o"), .refund(2, "r2", order: "d")]
        let batch = Self.plan(refunds + [.order(3, "a", ("lamp", nil, 1)), .refund(4, "r3", order: "o")], by: prior)
        #expect(batch.planned == ["record 0", "record 1", "record 2"])
        #expect(batch.commands.map(\.movements) == [[], [], [Movement(.product("lamp"), sold: 1)]])
        let recording = try Self.decided([.junk(9)], nil, seqBefore: 4)
        #expect(Self.plan(refunds, by: prior, recording: recording).entries.isEmpty)
    }

    @Test("makes a dead letter of a refund of an unknown payment, and of one in another currency")
    func invalidRefunds() throws {
        var prior = PriorState()
        func payment(_ intent: String?, _ currency: String?) -> Payment {
            Payment(orderID: "o", intentID: intent, currency: currency)
        }
        #expect(Self.plan([.refund(1, "r", order: "o")], by: prior).reasons == [.unknownOrder])
        let paid: [([Payment], DeadLetterReason?)] = [
            ([], nil), ([payment("pi", "USD")], nil), ([payment("pi", "eur")], .currencyMismatch),
            ([payment("pi", nil)], nil), ([payment("pi", "eur"), payment("pi2", "usd")], nil),
        ]
        for (payments, reason) in paid {
            prior.payments["o"] = payments
            #expect(Self.plan([.refund(1, "r", order: "o")], by: prior).reasons == (reason.map { [$0] } ?? []))
        }
    }

    @Test("ends a batch at the command that exceeds the movements' limit, but always takes the first one")
    func movements() {
        let orders: [DecodedEntry] = (1...4).map { .order($0, "o\($0)", ("cube", "black", 1)) }
        #expect(Self.plan(orders, maximumMovements: 5).entries.count == 2)
        #expect(Self.plan(orders, maximumMovements: 1).entries.count == 1)
        #expect(Self.plan([.junk(9)] + orders, maximumMovements: 1).entries.count == 2)
    }

    // MARK: - Poison messages

    @Test(
        "keeps a poison message as one in case it is planned again; quarantined, it is an undecoded dead letter")
    func poison() {
        let entry = DecodedEntry.order(1, "a", ("lamp", nil, 1), deliveries: StreamEntry.poisonDeliveries).entry
        let planned = Self.plan([EntryDecoder.decode(entry)])
        guard case .poison? = planned.entries.first else {
            Issue.record("no longer a poison message")
            return
        }
        let context = PlanningContext(
            catalogue: Self.catalogue, maximumMovements: 9, deadLetters: DeadLetterMaker(keptBytes: 99))
        let quarantined = context.quarantine(entry, at: "")
        #expect(quarantined.reasons == [.crashedConsumer] && quarantined.poison == EntryIdentity(entry))
    }

    // MARK: -

    /// A batch of these entries as the gate has decided it; `nil` if it has no commands.
    private static func decided(
        _ entries: [DecodedEntry], _ decision: Decision?, seqBefore: Int64, by prior: PriorState = PriorState()
    ) throws -> UnrecordedBatch {
        let decisions = decision.map { [$0] } ?? []
        let batch = try DecidedBatch(
            plan(entries, by: prior), decisions, epoch: 1, seqBefore: seqBefore,
            seqAfter: decision?.seq ?? seqBefore, decidedAt: "")
        return UnrecordedBatch(batch)
    }
}

extension PlannedBatch {
    /// Its entries and their treatment, in words.
    fileprivate var planned: [String] {
        plans.map { plan in
            switch plan {
            case .record(let place): "record \(place)"
            case .replay(let place): "replay of \(place)"
            case .known(let replay):
                "known \(replay.outcome.kind.rawValue)\(replay.outcome.seq.map { " seq \($0)" } ?? "") \(replay.place.words)"
            }
        }
    }

    /// The reasons of its dead letters.
    fileprivate var reasons: [DeadLetterReason] {
        records.compactMap { if case .deadLetter(let letter) = $0 { letter.cause.reason } else { nil } }
    }
}

extension Replay.Place {
    fileprivate var words: String {
        switch self {
        case .recorded(let place): "at \(place.text)"
        case .record(let record): "at \(record)"
        case .recordBefore(let record): "at \(record) before"
        }
    }
}
