import GRDB
import Domain
import Ledger
import LedgerSamples
import Testing

@testable import SQLiteLedger

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")

@Suite("Checking a ledger")
struct CheckTests {
    private func fill(_ fixture: LedgerFixture) async throws {
        try await fixture.record(
            order("o1", [("cube", "black", 2), ("cube", "white", 1)], .accepted(seq: 1)),
            order("o2", [("kit", nil, 9)], refused(.product("kit"), asked: 9, left: 3)),
            order("o3", [("cube", "black", 1), ("sheet", nil, 5)], .accepted(seq: 2)), deadLetter("1-0"))
    }

    @Test("finds nothing wrong with a sound one, and counts its contents")
    func sound() async throws {
        try await withLedger { fixture async throws in
            #expect(try await fixture.ledger.check().isSound)
            try await fill(fixture)
            var expected = LedgerCheck()
            for kind in Command.Kind.allCases { expected.commands[kind] = kind == .placeOrder ? 3 : 0 }
            (expected.deadLetters, expected.catalogueChanges) = (1, 1)
            expected.head = LedgerHead(epoch: 0, seq: 2, position: 5, catalogueVersion: 1)
            #expect(try await fixture.ledger.check() == expected)
        }
    }

    @Test("finds nothing wrong with orders that were inserted as rows, as in the benchmark")
    func acceptedOrders() async throws {
        let products = (0..<3).map {
            Product(
                id: Identifier("PRODUCT-\($0)"), name: "Edition \($0)", category: "edition", devStatus: 5,
                basePrice: 99_500)
        }
        try await withLedger(Catalogue(categories: ["edition"], products: products)) { fixture in
            let position = try await fixture.ledger.head().position
            try fixture.tamper(AcceptedOrders(count: 30, products: 3, idStep: 1 << 40, after: Int(position)).sql)
            let check = try await fixture.ledger.check()
            #expect(check.isSound && check.commands[.placeOrder] == 30 && check.head.position == position + 30)
        }
    }

    @Test("finds missing or changed refusals")
    func refusals() async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper("UPDATE journal SET outcome = 'accepted', reason = NULL, seq = 9 WHERE key = 'o2'")
            let check = try await fixture.ledger.check()
            #expect(check.missingRefusals == 1 && check.missingRecords == 0 && !check.isSound)
        }
    }

    @Test(
        "finds details that belong to another row of the journal",
        arguments: [
            "order_details SET position = 5 - position WHERE number IN (1, 2)",
            "journal SET number = 9 WHERE key = 'o1'",
            "dead_letters SET position = 2", "journal SET kind = 'adjustment' WHERE key = 'o2'",
        ])
    func strangers(_ edit: String) async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper("UPDATE \(edit)")
            let check = try await fixture.ledger.check()
            #expect(check.missingRecords != 0 && !check.isSound)
        }
    }

    @Test("finds a row of the journal beyond the last one")
    func surplus() async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper(
                "INSERT INTO journal (kind, key, outcome, epoch, decided_at) VALUES ('catalogue', '2', 'catalogue', 0, '')"
            )
            #expect(try await fixture.ledger.check().missingRecords == -1)
        }
    }

    @Test("finds changes whose seq is not the next one", arguments: ["seq = 3 WHERE seq = 2", "seq = 2 WHERE seq = 1"])
    func changes(_ edit: String) async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper("UPDATE journal SET \(edit)")
            let check = try await fixture.ledger.check()
            #expect(check.missingChanges == 1 && check.missingRecords == 0 && !check.isSound)
        }
    }

    /// An edit of the file, and the resulting miscounts.
    private static let miscounts: [(String, [Miscount])] = [
        (
            "UPDATE product_counters SET sold_quantity = sold_quantity + 1 WHERE id = 'cube'",
            [Miscount(counter: cube, column: .sold, recorded: 5, counted: 4)]
        ),
        (
            "UPDATE variant_counters SET sold_quantity = 0 WHERE id = 'black'",
            [Miscount(counter: black, column: .sold, recorded: 0, counted: 3)]
        ),
        (
            "UPDATE product_counters SET sold_quantity = 1 WHERE id = 'kit'",
            [Miscount(counter: .product("kit"), column: .sold, recorded: 1, counted: 0)]
        ),
        (
            "UPDATE order_lines SET quantity = 7 WHERE order_number = 3 AND line = 1",
            [
                Miscount(counter: cube, column: .sold, recorded: 4, counted: 10),
                Miscount(counter: black, column: .sold, recorded: 3, counted: 9),
            ]
        ),
        (
            "DELETE FROM order_lines WHERE order_number = 1",
            [
                Miscount(counter: cube, column: .sold, recorded: 4, counted: 1),
                Miscount(counter: black, column: .sold, recorded: 3, counted: 1),
                Miscount(counter: .variant("white"), column: .sold, recorded: 1, counted: 0),
            ]
        ),
    ]

    @Test("finds sold quantities that differ from the sums of the orders", arguments: miscounts.indices)
    func tampered(_ index: Int) async throws {
        let (sql, expected) = Self.miscounts[index]
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper(sql)
            let check = try await fixture.ledger.check()
            #expect(check.miscounts == expected && !check.isSound)
            #expect(check.integrity.isEmpty && check.danglingReferences == 0)
        }
    }

    @Test("finds dangling references")
    func dangling() async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper("DELETE FROM order_details WHERE number = 2")
            let check = try await fixture.ledger.check()
            // Its line, and its refund.
            #expect(check.danglingReferences == 2 && check.miscounts.isEmpty && !check.isSound)
            #expect(check.missingRecords == 1)
        }
    }

    @Test("finds missing rows of the journal, wherever they were", arguments: [2, 5])
    func gaps(position: Int) async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            try fixture.tamper("DELETE FROM journal WHERE position = \(position)")
            let check = try await fixture.ledger.check()
            #expect(check.missingRecords == 1 && check.danglingReferences == 1 && !check.isSound)
        }
    }

    @Test("reports what SQLite finds wrong with the file")
    func integrity() async throws {
        try await withLedger { fixture async throws in
            try await fill(fixture)
            // The index is declared for another column than it was built from.
            try fixture.tamper(
                """
                PRAGMA writable_schema = ON;
                UPDATE sqlite_schema SET sql = replace(sql, '(product_id)', '(position)')
                WHERE name = 'catalogue_variants_product_id';
                PRAGMA schema_version = 9999;
                """)
            let check = try await fixture.ledger.check()
            #expect(check.integrity.joined().contains("catalogue_variants_product_id"), "\(check.integrity)")
            #expect(!check.isSound)
        }
    }
}

@Suite("Several connections to one ledger")
struct LedgerConcurrencyTests {
    // writer:  record 1 | record 2 | … | record 100
    // reader:     stock | stock | stock …      each sees whole batches only
    @Test("A reader beside a writer sees only whole batches, and only later ones")
    func readerBesideWriter() async throws {
        try await withLedger { fixture async throws in
            let reader = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .reader)
            async let seqs: [Int64] = {
                var seqs: [Int64] = [0]
                while seqs.last ?? 0 < 100 {
                    let counters = try await reader.counters(withChangesAfter: 0)
                    let (seq, sheet) = (counters.head.seq, CounterName.product("sheet"))
                    #expect(counters.counters[sheet]?.sold == 3 * seq)
                    #expect(counters.units(of: sheet, after: 0) == 3 * seq)
                    seqs.append(seq)
                }
                return seqs
            }()
            for seq in 1...100 as ClosedRange<Int64> {
                try await fixture.record(
                    order(Identifier("o\(seq)"), [("sheet", nil, 1), ("sheet", nil, 2)], .accepted(seq: seq)))
            }
            let seen = try await seqs
            #expect(seen == seen.sorted())
            try reader.close()
        }
    }

    @Test("A tool's writes and the consumer's take turns")
    func toolBesideConsumer() async throws {
        try await withLedger { fixture async throws in
            let tool = try await LedgerDatabase.open(at: fixture.path, store: "main", for: .tool)
            async let synced: Void = {
                for cap in 1...20 as ClosedRange<Int64> {
                    var catalogue = Catalogue.sample
                    catalogue.products[1].cap = 1_000 + cap
                    _ = try await tool.sync(catalogue)
                }
            }()
            var seq: Int64 = 0
            while seq < 50 {
                // A catalogue that changes between reading the head and recording only makes a batch outdated.
                let answer = try await fixture.record(
                    order(Identifier("o\(seq)"), [("sheet", nil, 1)], .accepted(seq: seq + 1)))
                if case .recorded = answer { seq += 1 }
            }
            try await synced
            #expect(try await tool.head() == LedgerHead(epoch: 0, seq: 50, position: 71, catalogueVersion: 21))
            #expect(try await tool.check().isSound)
            try tool.close()
        }
    }

    @Test("A write waits for another's lock, and fails with a transient error; reads continue")
    func locked() async throws {
        try await withLedger { fixture async throws in
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(path: fixture.path, configuration: configuration)
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            async let write = fixture.ledger.raiseEpoch()
            #expect(try await fixture.ledger.head().epoch == 0)
            do {
                _ = try await write
                Issue.record("written beside another's lock")
            } catch let error as SQLiteLedgerError {
                #expect(error == .locked(path: fixture.path) && error.isTransient)
            }
            try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
            #expect(try await fixture.ledger.raiseEpoch().head.epoch == 1)
            try other.close()
        }
    }

    @Test("A batch on a full disk is a transient error, and nothing is recorded")
    func diskFull() async throws {
        try await withLedger { fixture async throws in
            let before = try await fixture.rows()
            let pages = try await fixture.ledger.write { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages)")
                return pages
            }
            let large = deadLetter("1-0", payload: [UInt8](repeating: 0xFF, count: 100_000))
            let sale = order("o", [("kit", nil, 1)], .accepted(seq: 1))
            let error = await #expect(throws: SQLiteLedgerError.diskFull(path: fixture.path)) {
                try await fixture.record(sale, large)
            }
            #expect(error?.isTransient == true)
            #expect(try await fixture.rows() == before)
            try await fixture.ledger.write { try $0.execute(sql: "PRAGMA max_page_count = \(pages + 1_000)") }
            #expect(try await fixture.record(sale, large) == .recorded(position: 3))
        }
    }
}
