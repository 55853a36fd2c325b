import NIOCore

/// A command, or a pipeline of them, that waits for its reply or replies.
struct PendingCommand: Sendable {
    enum Waiter: Sendable {
        case one(ReplyPromise<FlatReply>)
        case many(ReplyPromise<[FlatReply]>, count: Int)
    }

    /// Its name, for errors.
    let command: String
    let timeout: Duration
    let waiter: Waiter

    var isAbandoned: Bool {
        switch waiter {
        case .one(let promise): promise.isOver
        case .many(let promise, _): promise.isOver
        }
    }

    func fail(_ error: RedisError) {
        switch waiter {
        case .one(let promise): promise.fail(error)
        case .many(let promise, _): promise.fail(error)
        }
    }
}

/// The questions on a connection that are not answered yet, in order: replies have no other mark than their order.
/// Pairs replies with questions; does no I/O.
struct PendingCommands {
    private struct Entry {
        let pending: PendingCommand
        let deadline: NIODeadline
    }

    private var entries = CircularBuffer<Entry>()
    /// Replies to the first entry, if that is a pipeline with more replies to come.
    private var replies: [FlatReply] = []

    mutating func append(_ pending: PendingCommand, deadline: NIODeadline) {
        entries.append(Entry(pending: pending, deadline: deadline))
    }

    /// Pairs a reply with the oldest question, or keeps it until that question's pipeline is complete.
    /// - Returns: false if there is no question.
    mutating func receive(_ reply: FlatReply) -> Bool {
        guard let pending = entries.first?.pending else { return false }
        switch pending.waiter {
        case .one(let promise):
            entries.removeFirst()
            if let error = reply.error {
                promise.fail(RedisError.reply(error, command: pending.command))
            } else {
                promise.succeed(reply)
            }
        case .many(let promise, let count):
            if replies.isEmpty { replies.reserveCapacity(count) }
            replies.append(reply)
            if replies.count == count {
                entries.removeFirst()
                promise.succeed(replies)
                replies = []
            }
        }
        return true
    }

    /// Linear: called only when a timer fires, about once per shortest timeout.
    var earliestDeadline: NIODeadline? { entries.lazy.map(\.deadline).min() }

    /// Fails all questions: those overdue at `now` with a timeout, the others with what `error` makes. It gets the text
    /// of the last error reply to an interrupted pipeline: a server that rejects a client sends the reason, and closes.
    mutating func failAll(
        server: String, now: NIODeadline?, _ error: (_ isFirst: Bool, _ lastWords: String?) -> RedisError
    ) {
        let lastWords = replies.last?.error?.message
        let failed = entries
        entries.removeAll()
        replies = []
        for (index, entry) in failed.enumerated() {
            if let now, entry.deadline <= now {
                let pending = entry.pending
                pending.fail(.timedOut(to: server, command: pending.command, after: pending.timeout))
            } else {
                entry.pending.fail(error(index == 0, index == 0 ? lastWords : nil))
            }
        }
    }
}
