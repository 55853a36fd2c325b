import NIOCore

/// The commands on a connection that have no reply yet, in the order in which they were sent: RESP2 replies carry no
/// other identification. Pairs replies with commands; does no I/O.
struct PendingCommands {
    private struct Entry {
        let command: PendingCommand
        let deadline: NIODeadline
    }

    private var entries = CircularBuffer<Entry>()
    /// Replies to the first entry, if that is a pipeline with more replies to come.
    private var replies: [FlatReply] = []

    mutating func append(_ command: PendingCommand, deadline: NIODeadline) {
        entries.append(Entry(command: command, deadline: deadline))
    }

    /// Pairs a reply with the oldest command, or keeps it until that pipeline is complete.
    /// - Returns: false if there is no pending command.
    mutating func receive(_ reply: FlatReply) -> Bool {
        guard let command = entries.first?.command else { return false }
        switch command.waiter {
        case .one(let promise):
            entries.removeFirst()
            if let error = reply.error {
                promise.fail(RedisError.reply(error, command: command.name))
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

    /// Fails all commands: those overdue at `now` with a timeout, the remaining ones with the error that `error`
    /// returns. The closure receives the text of the last error reply to an interrupted pipeline: a server that rejects
    /// a client sends the reason, and closes.
    mutating func failAll(
        server: String, now: NIODeadline?, _ error: (_ isFirst: Bool, _ lastWords: String?) -> RedisError
    ) {
        let lastWords = replies.last?.error?.message
        let failed = entries
        entries.removeAll()
        replies = []
        for (index, entry) in failed.enumerated() {
            if let now, entry.deadline <= now {
                let command = entry.command
                command.fail(.timedOut(to: server, command: command.name, after: command.timeout))
            } else {
                entry.command.fail(error(index == 0, index == 0 ? lastWords : nil))
            }
        }
    }
}
