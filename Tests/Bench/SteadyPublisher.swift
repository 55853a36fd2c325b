import Concurrency
import NIOCore
import RedisClient

/// Publishes orders by a schedule that never stalls: an order that could not be sent in time is late, and its delay
/// counts from its intended time (no coordinated omission).
struct SteadyPublisher: Sendable {
    let rate: Int
    let start: ContinuousClock.Instant
    private let commands: [RedisCommand]

    /// - Parameter maker: Continues from its current state; its order `number` is the first.
    init(_ count: Int, rate: Int, from maker: inout OrderMaker, in workshop: Workshop) {
        self.rate = rate
        commands = (0..<count).map { _ in workshop.addCommand(maker.next()) }
        // Preparing them took a while.
        start = .now + .milliseconds(20)
    }

    var count: Int { commands.count }

    /// The intended time of this order, 0 ..< count.
    func intended(_ index: Int) -> ContinuousClock.Instant { start + .seconds(1) * index / rate }

    /// - Parameter inOrder: Waits for each reply, so that orders cannot overtake each other on their way to the
    ///   connection.
    func publish(over client: RedisClient, inOrder: Bool = false) async throws {
        // On the connection's thread, by its timer: an order wakes one thread instead of four, and leaves the processor
        // to the measured programs.
        try await withTaskExecutorPreference(EventLoopTasks(client.eventLoop)) {
            try await publishHere(over: client, inOrder: inOrder)
        }
    }

    private func publishHere(over client: RedisClient, inOrder: Bool) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var sent = 0
            while sent < count {
                let wait = TimeAmount(intended(sent) - .now)
                try await client.eventLoop.scheduleTask(in: wait) {}.futureResult.get()
                let now = ContinuousClock.now
                var due = sent + 1
                while due < count, intended(due) <= now { due += 1 }
                let commands = Array(commands[sent..<due])
                sent = due
                if inOrder {
                    try await client.sendAll(commands)
                } else {
                    group.addTask { try await client.sendAll(commands) }
                }
            }
            try await group.waitForAll()
        }
    }
}
