import Foundation
import Randomness
import RedisClient
import TestSupport

/// Faults of Redis and of its data. One at a time, so that it is up again after each.
struct RedisFaults: Lane {
    let shop: ChaosShop
    let journal: ChaosJournal
    let acknowledgements: Acknowledgements
    let announcements: Announcements
    let without: Set<String>
    /// Includes faults that lose unread messages, or create counters that never existed.
    var loses = true
    var generator: SeededGenerator
    /// A copy of the append-only files from a while ago.
    private var snapshot: String?
    /// The size of the last of these files.
    private var snapshotSize = 0
    /// The positions in the append-only files at which messages were last destroyed deliberately: nothing before them
    /// is truncated. That would bring back messages that others have since overtaken, and no consumer could keep the
    /// stream's order then.
    private var destroyed: [String: Int] = [:]

    init(
        shop: ChaosShop, journal: ChaosJournal, acknowledgements: Acknowledgements, announcements: Announcements,
        without: Set<String>, generator: SeededGenerator
    ) {
        self.shop = shop
        self.journal = journal
        self.acknowledgements = acknowledgements
        self.announcements = announcements
        self.without = without
        self.generator = generator
    }

    private enum Kind: String, CaseIterable {
        case kill = "redis kill -9"
        case cutTail = "redis tail cut"
        case restore = "redis older files"
        case pause = "redis SIGSTOP"
        case debugSleep = "redis DEBUG SLEEP"
        case busy = "redis BUSY"
        case flushAll = "FLUSHALL"
        case deleteKey = "DEL"
        case editCounter = "counter edited"
        case flushScripts = "SCRIPT FLUSH"
        case destroyGroup = "XGROUP DESTROY"
        case setGroup = "XGROUP SETID"
        case deleteConsumers = "XGROUP DELCONSUMER"
        case trim = "XTRIM MAXLEN 0"
        case killClients = "CLIENT KILL"
        case outOfMemory = "redis out of memory"
        case replica = "redis read-only"

        /// Whether Redis may lack messages after it, or hold counters that never existed.
        var loses: Bool {
            switch self {
            case .cutTail, .restore, .flushAll, .deleteKey, .editCounter, .deleteConsumers, .trim: true
            case .kill, .pause, .debugSleep, .busy, .flushScripts, .destroyGroup, .setGroup, .killClients, .outOfMemory,
                .replica:
                false
            }
        }

        /// The frequency relative to the others.
        var weight: Int {
            switch self {
            case .editCounter: 14
            case .kill, .cutTail: 6
            case .restore: 4
            case .debugSleep, .busy, .deleteConsumers, .trim, .replica: 2
            case .deleteKey: 5
            case .pause, .flushAll, .flushScripts, .destroyGroup, .setGroup, .killClients, .outOfMemory: 3
            }
        }
    }

    mutating func run(_ rhythm: Rhythm) async throws {
        let kinds = Kind.allCases.filter { !without.contains($0.rawValue) && (loses || !$0.loses) }.flatMap {
            Array(repeating: $0, count: $0.weight)
        }
        if kinds.isEmpty { return }
        while try await rhythm.turn(of: .redis) {
            let kind = kinds[Int.random(in: 0..<kinds.count, using: &generator)]
            do {
                try await commit(kind)
            } catch let error as RedisError {
                // A command that failed, for instance between two connections.
                journal.note("\(kind.rawValue) failed: \(error)")
            }
            if snapshot == nil || generator.chance(8) { copyFiles() }
            try await Task.sleep(for: .milliseconds(Int.random(in: 30...600, using: &generator)))
        }
    }

    private mutating func commit(_ kind: Kind) async throws {
        switch kind {
        case .kill, .cutTail, .restore: try await crash(kind)
        case .pause, .debugSleep, .busy, .outOfMemory, .replica: try await hold(kind)
        case .destroyGroup, .setGroup, .deleteConsumers, .trim: try await disturbGroup(kind)
        case .flushAll, .deleteKey, .editCounter: try await loseFigures(kind)
        case .flushScripts:
            journal.fault(kind.rawValue)
            try await shop.redis.command("SCRIPT", "FLUSH")
        case .killClients:
            journal.fault(kind.rawValue)
            try await shop.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        }
    }

    // MARK: - Crashes

    private mutating func crash(_ kind: Kind) async throws {
        let pause = Duration.milliseconds(Int.random(in: 0...900, using: &generator))
        // Without a loss the data is unchanged.
        if kind != .kill { journal.beginTouchingFigures() }
        defer { if kind != .kill { journal.endTouchingFigures() } }
        await shop.redis.kill()
        switch kind {
        case .cutTail: try cutTail()
        case .restore:
            guard let snapshot else {
                journal.fault(Kind.kill.rawValue, "away for \(pause)")
                break
            }
            journal.fault(kind.rawValue)
            let files = FileManager.default
            try files.removeItem(atPath: appendOnly)
            try files.copyItem(atPath: snapshot, toPath: appendOnly)
        default: journal.fault(Kind.kill.rawValue, "away for \(pause)")
        }
        try await Task.sleep(for: pause)
        try await shop.redis.restart()
        journal.note("redis is back")
    }

    private var appendOnly: String { shop.redis.folder.path(of: "appendonlydir") }

    /// The last append-only file, which holds the latest writes.
    private func lastFile() throws -> (name: String, size: Int)? {
        let names = try FileManager.default.contentsOfDirectory(atPath: appendOnly).filter { $0.hasSuffix(".incr.aof") }
        guard let name = names.max(by: { $0.count == $1.count ? $0 < $1 : $0.count < $1.count }) else { return nil }
        let size = try FileManager.default.attributesOfItem(atPath: "\(appendOnly)/\(name)")[.size] as? Int
        return (name, size ?? 0)
    }

    private mutating func cutTail() throws {
        guard let (name, size) = try lastFile() else { return }
        // Usually what a crash may lose, sometimes everything.
        let most = min(max(size - destroyed[name, default: 0], 0), generator.chance(75) ? 100_000 : size)
        let lost = Int.random(in: 0...most, using: &generator)
        truncate("\(appendOnly)/\(name)", size - lost)
        // Older files must not bring back what was just lost: others have overtaken it by then.
        if size - lost < snapshotSize { dropSnapshot() }
        journal.fault(Kind.cutTail.rawValue, "\(lost) of \(size) bytes lost")
    }

    /// Records that messages were destroyed which may not have been read, or that the ledger is an older one now; the
    /// append-only file is already up to date (`appendfsync always`).
    mutating func noteDestruction() throws {
        if let (name, size) = try lastFile() { destroyed[name] = size }
        dropSnapshot()
    }

    private mutating func dropSnapshot() {
        if let snapshot { try? FileManager.default.removeItem(atPath: snapshot) }
        snapshot = nil
    }

    private mutating func copyFiles() {
        let path = shop.folder.path(of: "older-\(UInt32.random(in: 0...(.max), using: &generator))")
        do {
            // A consistent state unless Redis is just writing: then its tail is cut, which serves the purpose as well.
            try FileManager.default.copyItem(atPath: appendOnly, toPath: path)
            dropSnapshot()
            snapshot = path
            snapshotSize = try lastFile()?.size ?? 0
        } catch {}
    }

    // MARK: - Temporary faults

    private mutating func hold(_ kind: Kind) async throws {
        let isLong = generator.chance(5)
        let time = Duration.milliseconds(
            isLong ? Int.random(in: 3_000...8_500, using: &generator) : Int.random(in: 50...1_200, using: &generator))
        journal.fault(kind.rawValue, "\(time)")
        switch kind {
        case .pause:
            shop.redis.signal(SIGSTOP)
            try? await Task.sleep(for: time)
            shop.redis.signal(SIGCONT)
        case .debugSleep:
            _ = try await shop.redis.client().send(
                RedisCommand("DEBUG", "SLEEP", "\(time / .seconds(1))"), timeout: time + .seconds(10))
        case .busy:
            // Ends by itself: SCRIPT KILL needs a connection, and a busy server accepts no new one.
            let script = "local last = os.clock() + tonumber(ARGV[1]) while os.clock() < last do end"
            let client = shop.redis.client()
            _ = try? await client.send(
                RedisCommand("EVAL", script, "0", "\(min(time, .seconds(2)) / .seconds(1))"), timeout: .seconds(30))
            await client.close()
        case .outOfMemory:
            try await shop.redis.command("CONFIG", "SET", "maxmemory", "1")
            try? await Task.sleep(for: time)
            try await shop.redis.command("CONFIG", "SET", "maxmemory", "0")
        default:
            try await shop.redis.command("REPLICAOF", "127.0.0.1", "1")
            try? await Task.sleep(for: time)
            try await shop.redis.command("REPLICAOF", "NO", "ONE")
        }
    }

    // MARK: - The group

    private mutating func disturbGroup(_ kind: Kind) async throws {
        let (stream, group) = (shop.keys.checkouts, StoreGroup.name)
        var detail = ""
        switch kind {
        case .destroyGroup:
            acknowledgements.doubtAll()
            try await shop.redis.command("XGROUP", "DESTROY", stream, group)
        case .setGroup:
            // Backwards: everything again. (Forwards would lose messages, which would be out of order when they are
            // resent.)
            var id = "0"
            if generator.chance(50) {
                let entries = try await shop.redis.command("XRANGE", stream, "-", "+", "COUNT", "200").array ?? []
                id = entries.randomElement(using: &generator)?.array?.first?.string ?? "0"
                let groups = try await shop.redis.command("XINFO", "GROUPS", stream).array ?? []
                let delivered = groups.first?.array.flatMap(Acknowledgements.delivered) ?? "0-0"
                if EntryID(delivered) < EntryID(id) { id = "0" }
            }
            detail = id
            try await shop.redis.command("XGROUP", "SETID", stream, group, id)
        case .deleteConsumers:
            // With all their pending entries, and the messages, or they would return after others have passed.
            acknowledgements.doubtAll()
            let consumers = try await shop.redis.command("XINFO", "CONSUMERS", stream, group).array ?? []
            let names = consumers.compactMap { $0.array?.dropFirst().first?.string }
            let client = shop.redis.client()
            _ = try await client.pipeline(
                [RedisCommand("MULTI"), RedisCommand("XTRIM", stream, "MAXLEN", "0")]
                    + names.map { RedisCommand("XGROUP", "DELCONSUMER", stream, group, $0) } + [RedisCommand("EXEC")])
            await client.close()
            try noteDestruction()
        default:
            acknowledgements.doubtAll()
            try await shop.redis.command("XTRIM", stream, "MAXLEN", "0")
            try noteDestruction()
        }
        journal.fault(kind.rawValue, detail)
    }

    // MARK: - Counters

    private mutating func loseFigures(_ kind: Kind) async throws {
        let stock = shop.keys.stock
        var detail = ""
        journal.beginTouchingFigures()
        defer { journal.endTouchingFigures() }
        switch kind {
        case .flushAll:
            try await shop.redis.command("FLUSHALL")
            try noteDestruction()
        case .deleteKey:
            let keys = try await shop.redis.command("KEYS", "*").array?.compactMap(\.string) ?? []
            detail = keys.sorted().randomElement(using: &generator) ?? stock
            if detail == shop.keys.outcomes {
                try await announcements.readAndDelete(shop)
            } else {
                try await shop.redis.command("DEL", detail)
            }
            if detail == shop.keys.checkouts { try noteDestruction() }
        default:
            let items = Assortment.first
            let id = items.flatMap { [$0.product] + $0.variants }.randomElement(using: &generator) ?? "LAMP"
            let isProduct = items.contains { $0.product == id }
            let name = "\(isProduct ? "p" : "v"):\(id)"
            let units = Int.random(in: -60...60, using: &generator)
            let edits: [[String]] = [
                ["HINCRBY", stock, "sold:\(name)", "\(units)"], ["HINCRBY", stock, "sold:\(name)", "\(units * 5)"],
                ["HSET", stock, "sold:\(name)", "\(units)"], ["HSET", stock, "sold:\(name)", "0"],
                ["HINCRBY", stock, "cap:\(name)", "100"],
                ["HSET", stock, "cap:\(name)", "\(abs(units))"], ["HDEL", stock, "cap:\(name)"],
                ["HDEL", stock, "sold:\(name)"], ["HINCRBY", stock, "seq", "\(units)"], ["HDEL", stock, "seq"],
                ["HDEL", stock, "epoch"], ["HDEL", stock, "ledger"], ["HSET", stock, "closed:\(name)", "1"],
                ["HDEL", stock, "settled", "recorded"], ["HSET", stock, "sold:\(name)", "many"],
            ]
            let edit = edits[Int.random(in: 0..<edits.count, using: &generator)]
            // There is nothing to edit in a missing hash: the edit would create it.
            guard try await shop.redis.command("EXISTS", stock).int == 1 else { return }
            detail = edit.joined(separator: " ")
            var command = RedisCommand(edit[0])
            command.append(contentsOf: edit.dropFirst())
            let client = shop.redis.client()
            _ = try await client.send(command)
            await client.close()
        }
        journal.fault(kind.rawValue, detail)
    }
}
