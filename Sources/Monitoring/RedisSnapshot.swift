import Counters
import Domain
import RedisClient
import RedisLayout

/// A snapshot of what Redis reports about a store. A value that Redis refuses or does not return is `nil`, with the
/// reason in `notes`.
struct RedisSnapshot: Sendable {
    /// Whether Redis was reached and replied, even if only with errors.
    var answers = false
    /// The problems, described for the operator.
    var notes: [String] = []
    /// The first problem, without addresses, so that it may be shown to anyone.
    var trouble: String?
    var version: String?
    var usedMemory: Int64?
    /// The clock of Redis, in milliseconds since 1970.
    var time: Int64?
    var counters: CounterHead?
    var unread: WaitingMessages?
    var pending: WaitingMessages?
    var outcomes: [RecordedOutcome] = []

    /// The number of outcomes shown.
    static let outcomes = 20

    /// Takes a snapshot within a time limit. Never throws: an unavailable Redis is a result.
    static func capture(_ keys: StoreKeys, _ client: RedisClient, within limit: Duration) async -> RedisSnapshot {
        do {
            return try await within(limit, RedisSnapshotTimedOut(limit: limit)) {
                var snapshot = RedisSnapshot()
                try await snapshot.ask(keys, client)
                return snapshot
            }
        } catch {
            var snapshot = RedisSnapshot()
            snapshot.notes = ["\(error)"]
            snapshot.trouble = error is RedisSnapshotTimedOut ? "Redis does not reply" : "Redis cannot be reached"
            return snapshot
        }
    }

    private mutating func ask(_ keys: StoreKeys, _ client: RedisClient) async throws {
        counters = try await part { try await CounterHead.read(keys, client) }
        if let info = try await part({ try await client.send(RedisCommand("INFO")).info }) {
            version = ServerVersion(info: info)?.description
            usedMemory = info["used_memory"].flatMap { Int64($0) }
        }
        time = try await part({ try await RedisClock.read(client) }) ?? nil
        if let group = try await part({ try await GroupProgress.read(keys, client) }) {
            unread = try await part { try await WaitingMessages.unread(group, keys, client) }
            pending = try await part { try await WaitingMessages.pending(group, keys, client) }
        }
        let latest = RedisCommand("XREVRANGE", keys.outcomes, "+", "-", "COUNT", "\(Self.outcomes)")
        outcomes =
            try await part({ try await client.send(latest).array })??.compactMap { entry in
                entry.array?.last.flatMap { RecordedOutcome(announced: $0.fields) }
            } ?? []
        answers = true
    }

    /// Makes one query. Notes an error reply, or a reply of an unexpected shape; rethrows every other error.
    private mutating func part<T>(_ question: () async throws -> T) async throws -> T? {
        do {
            return try await question()
        } catch let error as RedisError {
            guard case .reply(let reply, let command) = error else { throw error }
            notes.append("\(error)")
            if trouble == nil { trouble = "Redis refuses \(command)\(reply.code.isEmpty ? "" : " (\(reply.code))")" }
            return nil
        } catch let error as CountersError {
            notes.append("\(error)")
            if trouble == nil { trouble = "Redis holds something else under the store's names" }
            return nil
        }
    }
}

struct RedisSnapshotTimedOut: Error, CustomStringConvertible {
    var limit: Duration

    var description: String {
        "querying Redis failed: it does not reply within \(limit). Check whether it hangs, or a slow script blocks it."
    }
}

extension RecordedOutcome {
    /// Parses an entry of the outcomes stream. Reads only the known fields, and returns `nil` for an entry that is not
    /// an outcome: any program may write to the stream.
    fileprivate init?(announced fields: [String: RedisValue]) {
        func text(_ name: String) -> String { fields[name]?.string ?? "" }
        guard let kind = Outcome.Kind(rawValue: text("outcome")), let epoch = fields["epoch"]?.int,
            let position = fields["position"]?.int
        else { return nil }
        var ids = MessageIDs()
        for kind in Command.Kind.allCases {
            let id = text(kind.idField)
            if !id.isEmpty { ids[kind] = Identifier(id) }
        }
        self.init(
            outcome: Outcome(
                kind: kind, ids: ids, reason: text("reason"), seq: fields["seq"]?.int, units: fields["units"]?.int,
                decidedAt: text("decided_at")),
            place: EpochPosition(epoch: epoch, position: position))
    }
}

/// Returns the result of `body`, or throws `error` if it takes longer than `limit`. `body` must end when it is
/// cancelled.
func within<T: Sendable>(
    _ limit: Duration, _ error: any Error, _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: T.self) { group in
        group.addTask(operation: body)
        group.addTask {
            try await Task.sleep(for: limit)
            throw error
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw error }
        return first
    }
}
