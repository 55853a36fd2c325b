import Domain
import LuaScripts
import RedisClient
import RedisLayout

/// Reads the stream of messages in the order of its ids: first all pending entries, whichever consumer they were
/// delivered to, then new entries.
///
/// No other consumer is alive, so pending entries are claimed without waiting. Only one call of `next` may be in
/// progress. Methods throw `RedisError`; after an error, `connect` must be called, because entries may have been
/// delivered to a closed connection.
///
/// All entries that a caller holds were read over one connection. When that connection ends, Redis may have lost its
/// tail, and may assign an id that the caller still holds to another message: acknowledging that id would lose the
/// other message. So the reader never silently continues over another connection: reading fails, and the caller first
/// finishes the entries that it holds.
///
/// Entries that are too large to be sent are found by claiming one at a time, and delivered without their content
/// (`StreamReader+oversized.swift`).
package actor StreamReader {
    private enum Phase {
        case claiming(cursor: String)
        case reading
    }

    let client: RedisClient
    let keys: StoreKeys
    let scripts: ScriptRunner
    private let consumer: String
    private var phase = Phase.claiming(cursor: StreamReader.start)
    /// The reading connection, and its id in Redis; nil if reading has failed or has not begun.
    private var current: (connection: RedisConnection, id: Int64?)?
    /// The server at the other end of the reading connection.
    package private(set) var server: ConnectedServer?
    private var connections = 0
    private var count: Int
    var oversized = OversizedEntries()

    /// Maximum entries per read; `count` adapts to the size of the entries.
    private let maximumCount: Int
    /// The target size of a read, in bytes.
    private let targetBytes = 4 << 20
    private static let firstCount = 64
    private static let start = "0-0"

    package init(client: RedisClient, keys: StoreKeys, consumer: String, maximumCount: Int = 1_024) {
        self.client = client
        self.keys = keys
        self.consumer = consumer
        self.maximumCount = maximumCount
        scripts = ScriptRunner(client: client)
        count = min(Self.firstCount, maximumCount)
    }

    /// Opens the reading connection, and restarts reading at the first pending entry. The caller must have finished
    /// every entry it has received.
    package func connect() async throws {
        let connection = try await client.connection()
        let replies = try await connection.pipeline([RedisCommand("CLIENT ID"), RedisCommand("INFO", "server")])
        connections += 1
        current = (connection, replies[0].int)
        let before = server?.id
        server = replies[1].info["run_id"].map { ConnectedServer(id: $0, connection: connections) }
        // On another server, or after a restart, the same ids may belong to other entries.
        if server?.id != before { oversized = OversizedEntries() }
        startOver()
    }

    /// Restarts reading at the first pending entry, over the same connection. The caller must have finished every entry
    /// it has received: pending entries that it still holds would be delivered twice.
    package func startOver() { phase = .claiming(cursor: Self.start) }

    /// Returns the next entries. When no pending entries are left, waits up to `block` for new ones; zero does not
    /// wait.
    package func next(block: Duration) async throws -> Delivery {
        do {
            switch phase {
            case .claiming(let cursor): return try await claim(from: cursor)
            case .reading: return try await readNew(block: block)
            }
        } catch {
            if case RedisError.reply(let reply, _) = error, reply.isNotThePrimary, let connection = current?.connection
            {
                client.retire(connection, because: reply)
            }
            current = nil
            oversized.failed(with: error, count: count)
            // Reads fewer entries at a time from now on: the reply may have been too large.
            count = oversized.isSearching ? 1 : max(count / 4, 1)
            throw error
        }
    }

    /// Returns the reading connection.
    func connection() throws -> RedisConnection {
        guard let current else {
            throw RedisError.notSent(to: client.url.redacted, reason: "the reader is not connected")
        }
        return current.connection
    }

    /// Ends a blocking read, over another connection. The read still delivers entries that have arrived.
    package func endWait(over other: RedisClient) async {
        guard let connectionID = current?.id else { return }
        // Without permission for this command, the read ends by itself a little later.
        _ = try? await other.send(RedisCommand("CLIENT", "UNBLOCK", String(connectionID)))
    }

    /// Makes the next read use a new connection; a blocking read fails.
    package func reconnect(because reason: String) {
        server = nil
        client.reconnect(because: reason)
    }

    // MARK: - Pending entries

    private func claim(from cursor: String) async throws -> Delivery {
        do {
            return oversized.isSearching
                ? try await claimOne(from: cursor) : try await claim(count, from: cursor)
        } catch RedisError.reply(let reply, _) where reply.code == "NOGROUP" {
            // Nothing is pending in a group that was deleted.
            oversized = OversizedEntries()
            _ = try await scripts.run(.group, keys: [keys.checkouts, keys.intake]) { $0.append(StoreKeys.group) }
            phase = .reading
            return Delivery()
        }
    }

    private func claim(_ count: Int, from cursor: String, timeout: Duration? = nil) async throws -> Delivery {
        let reply = try await connection().reply(
            to: RedisCommand(
                "XAUTOCLAIM", keys.checkouts, StoreKeys.group, consumer, "0", cursor, "COUNT", String(count)),
            timeout: timeout)
        var walk = reply.walk()
        guard let parts = walk.array(), parts >= 2, let next = walk.text() else {
            throw malformed("XAUTOCLAIM", "not a cursor and a list of entries")
        }
        var delivery = try entries(&walk, of: reply, to: "XAUTOCLAIM")
        delivery.isFull = next != Self.start
        if parts > 2, let lost = walk.array() {
            for _ in 0..<lost { if let id = walk.text() { delivery.lost.append(id) } }
        }
        try await addDeliveryCounts(&delivery.entries)
        adaptCount(to: delivery.entries)
        phase = next == Self.start ? .reading : .claiming(cursor: next)
        return delivery
    }

    /// Claims the next pending entry alone, or delivers it without its content if it cannot be sent.
    private func claimOne(from cursor: String) async throws -> Delivery {
        let pending = try await connection().send(
            RedisCommand("XPENDING", keys.checkouts, StoreKeys.group, cursor, "+", "1")
        ).array
        guard let id = pending?.first?.array?.first?.string, let position = StreamID(id) else {
            oversized.endSearch()
            phase = .reading
            return Delivery()
        }
        if oversized.isTooLarge(id) {
            let unread = try await inspect(id)
            phase = .claiming(cursor: position.next.text)
            if let unread { return Delivery(entries: [unread], isFull: true) }
            _ = try await connection().send(RedisCommand("XACK", keys.checkouts, StoreKeys.group, id))
            return Delivery(lost: [id], isFull: true)
        }
        do {
            let delivery = try await claim(1, from: id, timeout: oversized.patience(for: id))
            if case .reading = phase { oversized.endSearch() }
            return delivery
        } catch {
            oversized.failed(on: id, with: error)
            throw error
        }
    }

    /// Adds the delivery counts, which XPENDING returns and XAUTOCLAIM does not.
    private func addDeliveryCounts(_ entries: inout [StreamEntry]) async throws {
        guard let first = entries.first, let last = entries.last else { return }
        let reply = try await connection().send(
            RedisCommand(
                "XPENDING", keys.checkouts, StoreKeys.group, first.id, last.id, String(entries.count), consumer))
        var deliveries: [String: Int64] = [:]
        for item in reply.array ?? [] {
            guard let parts = item.array, parts.count == 4, let id = parts[0].string, let times = parts[3].int else {
                throw malformed("XPENDING", "not an id with its deliveries")
            }
            deliveries[id] = times
        }
        for index in entries.indices { entries[index].deliveries = deliveries[entries[index].id] ?? 1 }
    }

    // MARK: - New entries

    private func readNew(block: Duration) async throws -> Delivery {
        var command = RedisCommand("XREADGROUP", "GROUP", StoreKeys.group, consumer, "COUNT", String(count))
        // `BLOCK 0` would wait forever.
        if block > .zero {
            command.append("BLOCK")
            command.append(Int64(max(block / .milliseconds(1), 1)))
        }
        command.append(contentsOf: ["STREAMS", keys.checkouts, ">"])
        let reply = try await connection().reply(to: command, timeout: block + .seconds(5))
        if reply.isNull { return Delivery(isEmptyRead: true) }
        var walk = reply.walk()
        guard let streams = walk.array(), streams > 0, walk.array() == 2 else {
            throw malformed("XREADGROUP", "not a stream with its entries")
        }
        walk.skip()
        var delivery = try entries(&walk, of: reply, to: "XREADGROUP")
        delivery.isFull = delivery.entries.count >= count
        adaptCount(to: delivery.entries)
        return delivery
    }

    /// Reads more entries at a time while they are small, and fewer when they are large.
    private func adaptCount(to entries: [StreamEntry]) {
        guard !entries.isEmpty else { return }
        let average = max(entries.reduce(0) { $0 + $1.size } / entries.count, 1)
        let grown = entries.count == count ? count * 2 : count
        count = max(min(grown, targetBytes / average, maximumCount), 1)
    }

    /// Parses the next value of a reply, a list of entries, without copying their bytes.
    private func entries(_ walk: inout FlatReply.Walk, of reply: FlatReply, to command: String) throws -> Delivery {
        guard let count = walk.array() else { throw malformed(command, "not a list of entries") }
        var delivery = Delivery()
        delivery.entries.reserveCapacity(count)
        // Reused for every entry.
        var places: [Range<Int>] = []
        for _ in 0..<count {
            guard walk.array() == 2, let id = walk.text() else { throw malformed(command, "an entry without an id") }
            // A pending entry that was deleted from the stream has no fields.
            guard let parts = walk.array() else {
                delivery.lost.append(id)
                continue
            }
            places.removeAll(keepingCapacity: true)
            for _ in 0..<parts {
                guard let place = walk.string() else { throw malformed(command, "a field that is not a string") }
                places.append(place)
            }
            delivery.entries.append(StreamEntry(id: id, in: reply.bytes, at: places))
        }
        return delivery
    }

    private func malformed(_ command: String, _ detail: String) -> RedisError {
        .protocolViolation(to: client.url.redacted, detail: "reply to \(command): \(detail)")
    }
}
