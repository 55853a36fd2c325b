import Foundation
import GRDB
import Domain
import RedisClient
import TestSupport

/// Checks the shop once everything is done.
struct ChaosVerdict {
    let shop: ChaosShop
    let journal: ChaosJournal
    let history: SentHistory
    let catalogues: Catalogues
    let announcements: Announcements
    let records: OperatorRecords
    /// The output of consumers and servers.
    let transcripts: [String]

    /// - Parameters:
    ///   - replaced: The contents of ledgers before they were replaced by an older one, from the first to the last.
    /// - Returns: The contents of the ledger.
    func reach(_ shown: [Shown], replaced: [LedgerContents]) async throws -> LedgerContents {
        try await expect(["ledger", "check"], .soundLedger)
        // A start installs the counters again, which also reverts edits that no order has met.
        try await expect(["consume", "--until-idle"], .everythingFinishes)
        try await expect(["reconcile", "--deep"], .noDrift)
        let contents = try LedgerContents(shop.rows)
        try await judge(contents)
        // Epochs only increase: each state belongs to the first ledger that had its epoch.
        var first: Int64 = 0
        for ledger in replaced + [contents] {
            let epochs = first...max(ledger.head.epoch, first)
            ShownJudge(ledger, catalogues: catalogues.versions, versions: versions(ledger), journal: journal)
                .judge(shown.filter { epochs.contains($0.body.epoch) })
            first = epochs.upperBound + 1
        }
        checkRecords()
        checkRepairs(contents)
        try await checkRedis(contents)
        for text in transcripts where text.contains(MessageMaker.canary) {
            let line = text.split(separator: "\n").first { $0.contains(MessageMaker.canary) } ?? ""
            journal.violation(.privacy, "a customer's data in a log: \(line)")
        }
        return contents
    }

    /// Checks a ledger once every message that was sent is processed.
    func judge(_ contents: LedgerContents) async throws {
        for text in contents.overtakings { journal.violation(.streamOrder, text) }
        let rows = contents.journal
        if rows.rows != rows.highest || rows.highest != contents.head.position || rows.disorder != 0 {
            journal.violation(.positionsWithoutGap, "\(rows), and the ledger is at \(contents.head.position)")
        }
        var judge = SequentialJudge(
            messages: history.messages, catalogues: catalogues.versions, versions: versions(contents),
            letters: history.letters, replayed: records.replayed)
        judge.judge(contents)
        for text in judge.differences { journal.violation(.sequentialResult, text) }
        try await checkAnnouncements(contents)
        let erased = records.erased
        for row in contents.orders where erased.contains(row.id) {
            if !row.isErased || row.namesCustomer {
                journal.violation(.privacy, "order \(row.id) was erased, and the ledger names its customer")
            }
        }
    }

    private func expect(_ arguments: [String], _ invariant: ChaosInvariant) async throws {
        let result = try await shop.run(arguments)
        if result.status != 0 {
            journal.violation(
                invariant,
                "\(arguments.joined(separator: " ")) exited \(result.status): \(result.output)\(result.errors)")
        }
    }

    /// The catalogue version of each epoch: from the ledger, and from the consumers' log messages when they opened it.
    private func versions(_ contents: LedgerContents) -> [Int64: Int64] {
        var versions = contents.versions
        for line in transcripts.flatMap({ $0.split(separator: "\n") }) where line.contains("epoch opened: ") {
            func number(_ name: String) -> Int64? {
                line.split(whereSeparator: { " ,".contains($0) }).first { $0.hasPrefix("\(name)=") }
                    .flatMap { Int64($0.dropFirst(name.count + 1)) }
            }
            guard let epoch = number("epoch"), let version = number("catalogue") else { continue }
            if let known = versions[epoch], known != version {
                journal.violation(.epochsRise, "epoch \(epoch) was opened with catalogue \(version), and with \(known)")
            }
            versions[epoch] = version
        }
        return versions
    }

    /// Each message that was sent has a record.
    private func checkRecords() {
        do {
            try history.look(at: shop.rows)
        } catch {
            journal.violation(.nothingLost, "the ledger cannot be read: \(error)")
        }
        for message in history.unrecorded.prefix(5) {
            journal.violation(.nothingLost, "\(message.kind) \(message.meaning) was sent and is not recorded")
        }
    }

    /// Only counters that a fault had touched were repaired, and the ledger never.
    private func checkRepairs(_ contents: LedgerContents) {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for repair in contents.repairs {
            let time = (try? format.parse(repair.repairedAt)) ?? Date()
            if repair.place != "counters" || !journal.mayDrift(from: time, to: time) {
                journal.violation(
                    .noDrift, "\(repair.counter) of the \(repair.place) was repaired at \(repair.repairedAt)")
            }
        }
    }

    private func checkRedis(_ contents: LedgerContents) async throws {
        let (redis, keys) = (shop.redis, shop.keys)
        if try await shop.unfinished() != 0 { journal.violation(.everythingFinishes, "entries are unread or pending") }
        for shelf in catalogues.latest.shelves {
            for name in ["p:\(shelf.product)"] + shelf.variants.map({ "v:\($0.id)" }) {
                let found = try await redis.command("HGET", keys.stock, "sold:\(name)").int
                let expected = contents.figures[String(name.dropFirst(2))]?.sold
                if found.map({ Int($0) }) != expected {
                    journal.violation(.noDrift, "sold:\(name) is \(found.map(String.init) ?? "missing")")
                }
            }
        }
        let names = try await redis.command("KEYS", "*").array?.compactMap(\.string) ?? []
        let foreign = names.filter { ![keys.stock, keys.checkouts, keys.outcomes].contains($0) }
        // A failed epoch may leave one prepared key; the next epochs remove it.
        if foreign.count > 1 { journal.violation(.bounded, "keys are left behind: \(foreign.sorted())") }
        let length = try await redis.command("XLEN", keys.outcomes).int ?? 0
        if length > Int64(ChaosSettings.keepOutcomes + ChaosSettings.outcomesSlack) {
            journal.violation(.bounded, "the stream of outcomes has \(length) entries")
        }
    }
}

extension ChaosShop {
    /// The number of entries that are unread, pending or to be republished.
    func unfinished() async throws -> Int {
        let groups = try await redis.command("XINFO", "GROUPS", keys.checkouts).array ?? []
        guard let group = groups.first?.array, let delivered = Acknowledgements.delivered(group) else { return 1 }
        let pending = try await redis.command("XPENDING", keys.checkouts, StoreGroup.name).array?.first?.int ?? 1
        let unread =
            try await redis.command("XRANGE", keys.checkouts, "(\(delivered)", "+", "COUNT", "1000").array ?? []
        let wanted = try rows.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM dead_letters WHERE status = 'replay'") ?? 0
        }
        return Int(pending) + unread.count + wanted
    }

    /// Copies the evidence to a folder that is kept.
    /// - Returns: Its path.
    func keep(_ transcripts: [String]) async throws -> String {
        try folder.write(transcripts.joined(separator: "\n---\n"), to: "consumers.log")
        let kept = "\(folder.path)-kept"
        _ = try await ChildProcess("cp", ["-a", folder.path, kept]).waitForEnding()
        _ = try await ChildProcess("cp", ["-a", redis.folder.path, "\(kept)/redis"]).waitForEnding()
        return kept
    }
}
