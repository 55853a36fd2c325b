import Ingest
import Domain
import Ledger
import LedgerSamples
import MemoryLedger
import MemoryRedis
import RedisClient
import Testing

@testable import Operations

@Suite("Sending a command")
struct CommandSubmissionTests {
    private struct Fixture {
        let location = MemoryLedgerLocation()
        let ledger: OpenMemoryLedger
        let redis: MemoryRedis
        let submission: CommandSubmission

        init(_ fault: @escaping @Sendable (String) -> MemoryRedis.Fault? = { _ in nil }) async throws {
            try await location.create(store: "main")
            ledger = try location.open("main")
            _ = try await ledger.sync(.sample)
            redis = MemoryRedis(fault: fault)
            var submission = CommandSubmission(
                ledger: ledger, lease: location.lease,
                publisher: MemoryRedisConnection(redis, ledger: ledger.identity))
            submission.pollInterval = .milliseconds(1)
            self.submission = submission
        }

        func submit(
            _ adjustment: Adjustment, patience: Duration? = nil, willSend: () -> Void
        ) async throws -> CommandSubmission.Result {
            var submission = submission
            if let patience { submission.patience = patience }
            return try await submission.run(
                .adjust(adjustment), payload: adjustment.payload,
                objection: { try await ledger.objection(to: adjustment) }, willSend: willSend)
        }

        /// Runs the submission beside a consumer that calls `body` with the entry that was sent.
        func run(
            _ adjustment: Adjustment, _ body: @escaping @Sendable (Fixture, StreamEntry) async throws -> Void
        ) async throws -> CommandSubmission.Result {
            let lease = try await location.takeLease(for: "consuming")
            let consumer = Task { [self] in
                defer { withExtendedLifetime(lease) {} }
                let source = MemoryRedisConnection(redis, ledger: ledger.identity)
                try await source.connect()
                while true {
                    for entry in try await source.next(block: .seconds(10)).entries {
                        return try await body(self, entry)
                    }
                }
            }
            let result = try await submit(adjustment) {}
            try await consumer.value
            return result
        }
    }

    private static let adjustment = Adjustment(
        adjustmentID: "a", sku: SKU("cube", "black"), units: 2, reason: "fair", adjustedAt: "then")

    @Test("ends when it is recorded; repeated with its id it is not sent again")
    func recorded() async throws {
        let fixture = try await Fixture()
        let result = try await fixture.run(Self.adjustment) { fixture, entry in
            let sent = MessageDecoder.decode(type: entry.type, payload: entry.payload)
            #expect(try sent.get() == .adjust(Self.adjustment))
            try await fixture.ledger.recordNext([LedgerSamples.adjustment(Self.adjustment, .accepted(seq: 1))])
        }
        guard case .recorded = result else { throw Unexpected(result) }
        guard case .recorded = try await fixture.submit(Self.adjustment, willSend: { Issue.record("sent") })
        else { throw Unexpected(result) }
    }

    @Test("does not happen if the ledger shows the command to be wrong")
    func objection() async throws {
        let fixture = try await Fixture()
        try await fixture.ledger.recordNext([LedgerSamples.adjustment(Self.adjustment, .accepted(seq: 1))])
        let wrong: [(Adjustment, DeadLetterReason)] = [
            (.init(adjustmentID: "b", sku: SKU("none"), units: 1, reason: "r"), .unknownProduct),
            (.init(adjustmentID: "b", sku: SKU("sheet"), units: -1, reason: "r"), .adjustmentTooLarge),
            (.init(adjustmentID: "a", sku: SKU("sheet"), units: 1, reason: "r"), .adjustmentConflict),
        ]
        for (adjustment, reason) in wrong {
            let result = try await fixture.submit(adjustment) { Issue.record("sent") }
            guard case .objection(let cause) = result else { throw Unexpected(result) }
            #expect(cause.reason == reason)
        }
    }

    @Test("ends with the dead letter that it became")
    func deadLetter() async throws {
        let fixture = try await Fixture()
        let result = try await fixture.run(Self.adjustment) { fixture, entry in
            try await fixture.ledger.recordNext([LedgerSamples.deadLetter(entry.id, reason: .adjustmentConflict)])
        }
        guard case .deadLetter(let letter) = result else { throw Unexpected(result) }
        #expect(letter.reason == "adjustment_conflict")
    }

    @Test("does not wait for a missing consumer")
    func withoutConsumer() async throws {
        let fixture = try await Fixture()
        let result = try await fixture.submit(Self.adjustment) {}
        guard case .sent = result else { throw Unexpected(result) }
        #expect(fixture.redis.withTables { $0.hasUnread })
    }

    @Test("waits for a busy consumer no longer than its limit")
    func patience() async throws {
        let fixture = try await Fixture()
        let lease = try await fixture.location.takeLease(for: "consuming")
        guard case .sent = try await fixture.submit(Self.adjustment, patience: .milliseconds(5), willSend: {}) else {
            throw Unexpected("")
        }
        withExtendedLifetime(lease) {}
    }

    @Test("reports whether it may have been sent", arguments: [false, true])
    func failure(_ isExecuted: Bool) async throws {
        let fixture = try await Fixture { command in
            guard command == "XADD" else { return nil }
            return isExecuted
                ? .after(.connectionLost(to: "r", reason: "w")) : .before(.notSent(to: "r", reason: "w"))
        }
        let failure = await #expect(throws: CommandSubmission.Failure.self) {
            try await fixture.submit(Self.adjustment) {}
        }
        #expect(failure?.sent == (isExecuted ? .perhaps : .no))
        #expect(fixture.redis.withTables { $0.hasUnread } == isExecuted)
    }
}

/// A result that a test does not expect.
struct Unexpected: Error {
    init(_ result: Any) { Issue.record("unexpected: \(result)") }
}
