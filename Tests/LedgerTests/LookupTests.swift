import Domain
import Ledger
import LedgerSamples
import Testing

private let kit = CounterName.product("kit")
private let decidedAt = "2026-11-22T10:00:00.000Z"

@Suite("Lookups in the ledger")
struct LookupTests {
    @Test("finds the orders of a batch, with their announced outcomes", arguments: Backend.allCases)
    func knownOrders(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let checkout = Checkout(orderID: "o1", items: [.init(productID: "kit", units: 2, unitPrice: 7)])
            try await fixture.record(
                order(checkout, .accepted(seq: 1)),
                order("o2", [("kit", nil, 2)], refused(kit, asked: 2, left: 1)))
            let known = try await fixture.ledger.priorState(
                for: BatchLookup(keys: [.order("o2"), .order("o1"), .order("O1"), .order("other")]))
            #expect(known.deadLetters.isEmpty && known.decisions.count == 2)
            #expect(
                known.decisions[.order("o1")]
                    == PriorDecision(
                        digest: checkout.contentDigest,
                        outcome: RecordedOutcome(
                            outcome: Outcome(
                                kind: .accepted, ids: [.placeOrder: "o1"], seq: 1, units: 2, decidedAt: decidedAt),
                            place: EpochPosition(epoch: 0, position: 2))))
            #expect(
                known.decisions[.order("o2")]?.outcome.outcome
                    == Outcome(
                        kind: .refused, ids: [.placeOrder: "o2"], reason: "insufficient", units: 2, decidedAt: decidedAt
                    ))
        }
    }

    @Test(
        "finds dead letters by entry id, and distinguishes different content under the same id",
        arguments: Backend.allCases)
    func knownDeadLetters(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                deadLetter("1-0", fingerprint: [1]), deadLetter("1-0", fingerprint: [2], reason: .wrongType),
                deadLetter("2-0", fingerprint: [1]))
            let known = try await fixture.ledger.priorState(for: BatchLookup(entryIDs: ["1-0", "3-0"]))
            func outcome(_ reason: String, _ position: Int64) -> RecordedOutcome {
                RecordedOutcome(
                    outcome: Outcome(kind: .deadLetter, reason: reason, decidedAt: decidedAt),
                    place: EpochPosition(epoch: 0, position: position))
            }
            #expect(
                known.deadLetters == [
                    EntryIdentity(entryID: "1-0", fingerprint: [1]): outcome("invalid_json", 2),
                    EntryIdentity(entryID: "1-0", fingerprint: [2]): outcome("wrong_type", 3),
                ])
        }
    }

    @Test("counts attempts per entry and content, and clears them with the batch", arguments: Backend.allCases)
    func attempts(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture in
            let ledger = fixture.ledger
            let (one, other) = (
                EntryIdentity(entryID: "1-0", fingerprint: [1, 2]), EntryIdentity(entryID: "1-0", fingerprint: [1, 3])
            )
            #expect(try await ledger.attempts(one) == 0)
            for count in 1...3 {
                try await ledger.noteAttempt(one)
                #expect(try await ledger.attempts(one) == count)
            }
            #expect(try await ledger.attempts(other) == 0)
            try await ledger.noteAttempt(other)
            try await fixture.record(attemptsOver: [one, EntryIdentity(entryID: "none", fingerprint: [])])
            #expect(try await ledger.attempts(one) == 0)
            #expect(try await ledger.attempts(other) == 1)
        }
    }

    @Test("keeps attempts when the batch is not recorded", arguments: Backend.allCases)
    func attemptsOfOutdated(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let key = EntryIdentity(entryID: "1-0", fingerprint: [1])
            try await fixture.ledger.noteAttempt(key)
            let batch = JournalBatch(
                epoch: 9, catalogueVersion: 1, seqBefore: 0, records: [], attemptsOver: [key])
            _ = try await fixture.ledger.record(batch)
            #expect(try await fixture.ledger.attempts(key) == 1)
        }
    }

    /// Every page of a list, each of at most `limit` elements.
    private func pages<Element: Sendable>(
        _ page: (_ after: String?) async throws -> Page<Element>
    ) async throws -> [[Element]] {
        var pages: [[Element]] = []
        var after: String?
        repeat {
            let next = try await page(after)
            pages.append(next.elements)
            after = next.next
        } while after != nil && pages.count < 10
        return pages
    }

    @Test("lists orders latest first, page by page", arguments: Backend.allCases)
    func orderPages(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                order("b", [("kit", nil, 1)], .accepted(seq: 1)), order("a", [("kit", nil, 1)], .accepted(seq: 2)),
                order("c", [("kit", nil, 2)], refused(kit, asked: 2, left: 1)),
                order("e", [("kit", nil, 1)], .accepted(seq: 3)),
                order("d", [("kit", nil, 1)], refused(kit, asked: 1, left: 0)))
            let table: [(status: OrderStatus?, limit: Int, expected: [[Identifier]])] = [
                (nil, 2, [["d", "e"], ["c", "a"], ["b"]]), (nil, 5, [["d", "e", "c", "a", "b"]]),
                (nil, 4, [["d", "e", "c", "a"], ["b"]]), (.refused, 1, [["d"], ["c"]]),
                (.accepted, 2, [["e", "a"], ["b"]]), (.cancelled, 2, [[]]),
            ]
            for (status, limit, expected) in table {
                let found = try await pages { after async throws in
                    try await fixture.ledger.orders(status: status, limit: limit, after: after)
                }
                #expect(found.map { $0.map(\.checkout.orderID) } == expected)
                #expect(found.joined().allSatisfy { $0.checkout.items.isEmpty })
            }
            #expect(try await fixture.ledger.order("none") == nil)
        }
    }

    @Test("lists dead letters latest first, page by page, without their bytes", arguments: Backend.allCases)
    func deadLetterPages(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(
                (1...5).map { deadLetter("\($0)-0", reason: $0.isMultiple(of: 2) ? .invalidUTF8 : .invalidJSON) })
            let table: [(reason: String?, limit: Int, expected: [[Int64]])] = [
                (nil, 2, [[5, 4], [3, 2], [1]]), (nil, 5, [[5, 4, 3, 2, 1]]), ("invalid_utf8", 1, [[4], [2]]),
                ("invalid_json", 2, [[5, 3], [1]]), ("none", 2, [[]]),
            ]
            for (reason, limit, expected) in table {
                let found = try await pages { after async throws in
                    try await fixture.ledger.deadLetters(reason: reason, status: nil, limit: limit, after: after)
                }
                #expect(found.map { $0.map(\.number) } == expected)
                #expect(found.joined().allSatisfy { $0.payload == nil && $0.fields == nil })
            }
        }
    }
}
