import GRDB
import Domain
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

@Suite("Statistics of a SQLite ledger")
struct StatisticsTests {
    @Test("of dead letters are counted in a separate index", arguments: ["open", "replay"])
    func plan(_ status: String) async throws {
        try await withLedger { fixture async throws in
            let steps = try await fixture.ledger.read { db in
                try Row.fetchAll(
                    db, sql: "EXPLAIN QUERY PLAN SELECT count(*) FROM dead_letters WHERE status = '\(status)'"
                ).map { $0["detail"] as String }
            }
            #expect(steps.count == 1 && steps[0].contains("INDEX dead_letters_\(status)"), "\(steps)")
        }
    }

    @Test("are unchanged by VACUUM, which renumbers rows")
    func vacuum() async throws {
        try await withLedger { fixture async throws in
            try await fixture.record(
                order("o1", [("kit", nil, 1)], .accepted(seq: 1)), deadLetter("1-0"), deadLetter("2-0"))
            let before = try await fixture.ledger.statistics()
            try fixture.tamper("VACUUM")
            #expect(try await fixture.ledger.statistics() == before)
        }
    }
}
