import Concurrency
import Counters
import Ingest
import Domain
import Logging
import RedisClient
import RedisLayout

/// What the consumer uses of Redis, or of what stands in its place.
package struct ConsumerPorts: Sendable {
    package let gate: any Gate
    package let upkeep: any StreamUpkeep
    package let source: any MessageSource
    package let publisher: any MessagePublisher
    /// Where tasks run that mostly wait for Redis.
    package let tasks: any TaskExecutor

    package init(
        gate: any Gate, upkeep: any StreamUpkeep, source: any MessageSource, publisher: any MessagePublisher,
        tasks: any TaskExecutor = globalConcurrentExecutor
    ) {
        self.gate = gate
        self.upkeep = upkeep
        self.source = source
        self.publisher = publisher
        self.tasks = tasks
    }

    /// Of the connections, and of the tasks that use them: a reply, what follows from it and the next command wake no
    /// other thread. Not one of those that serve HTTP, where a request would wait behind a batch.
    private static let thread = EventLoopTasks()

    /// Of a real Redis, over two connections: a read that waits would delay every command behind it.
    /// - Parameter ledger: its identity.
    init(
        _ url: RedisURL, _ options: RedisOptions, keys: StoreKeys, ledger: String, settings: ConsumerSettings,
        logger: Logger
    ) {
        let eventLoop = Self.thread.eventLoop
        let redis = RedisClient(url: url, options: options, on: eventLoop, logger: logger)
        var readingOptions = options
        readingOptions.maximumReplyBytes = ConsumerSettings.readReplyBytes
        let reading = RedisClient(url: url, options: readingOptions, on: eventLoop, logger: logger)
        let counters = CounterStore(keys: keys, ledger: ledger, client: redis)
        let reader = StreamReader(
            client: reading, keys: keys, consumer: settings.consumer, maximumCount: settings.slice)
        self.init(
            gate: counters, upkeep: counters, source: RedisMessageSource(reader, over: reading, beside: redis),
            publisher: RedisMessagePublisher(keys, redis), tasks: Self.thread)
    }

    func close() async {
        await gate.close()
        await source.close()
    }
}
