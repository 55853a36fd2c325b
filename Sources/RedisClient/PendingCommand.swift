import NIOCore

/// A command or a pipeline that awaits its reply or replies.
struct PendingCommand: Sendable {
    enum Waiter: Sendable {
        case one(ReplyPromise<FlatReply>)
        case many(ReplyPromise<[FlatReply]>, count: Int)
    }

    /// Names the command in errors.
    let name: String
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
