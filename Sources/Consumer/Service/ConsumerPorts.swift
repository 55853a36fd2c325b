import Concurrency
import Counters
import Ingest
import Domain
import Logging
import RedisClient
import RedisLayout

/// The ports through which the consumer uses Redis, or a substitute for it.
package struct ConsumerPorts: Sendable {
    package let gate: any Gate
    package let upkeep: any StreamUpkeep
    package let source: any MessageSource
    package let publisher: any MessagePublisher
    /// The executor for tasks that mostly wait for Redis.
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

    /// The thread of the connections and of the tasks that use them: receiving a reply, handling it and sending the
    /// next command wake no other thread. It is separate from the threads that serve HTTP, where a request would wait
    /// behind a batch.
    private static let thread = EventLoopTasks()

    /// Creates the ports of a real Redis, over two connections: on a single one, a blocking read would delay every
    /// command behind it.
    /// - Parameter ledger: the ledger's identity.
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
