import Counters
import Intake
import Inventory
import Logging
import RedisClient

/// What the consumer uses of Redis, or of what stands in its place.
package struct ConsumerPorts: Sendable {
    package let gate: any Gate
    package let upkeep: any StreamUpkeep
    package let source: any MessageSource
    package let publisher: any MessagePublisher

    package init(
        gate: any Gate, upkeep: any StreamUpkeep, source: any MessageSource, publisher: any MessagePublisher
    ) {
        self.gate = gate
        self.upkeep = upkeep
        self.source = source
        self.publisher = publisher
    }

    /// Of a real Redis, over two connections: a read that waits would delay every command behind it.
    /// - Parameter ledger: its identity.
    init(
        _ url: RedisURL, _ options: RedisOptions, keys: StoreKeys, ledger: String, settings: ConsumerSettings,
        logger: Logger
    ) {
        let redis = RedisClient(url: url, options: options, logger: logger)
        var readingOptions = options
        readingOptions.maximumReplyBytes = ConsumerSettings.readReplyBytes
        let reading = RedisClient(url: url, options: readingOptions, on: redis.eventLoop, logger: logger)
        let counters = CounterStore(keys: keys, ledger: ledger, client: redis)
        let reader = StreamReader(
            client: reading, keys: keys, consumer: settings.consumer, maximumCount: settings.slice)
        self.init(
            gate: counters, upkeep: counters, source: RedisMessageSource(reader, over: reading, beside: redis),
            publisher: RedisMessagePublisher(keys, redis))
    }

    func close() async {
        await gate.close()
        await source.close()
    }
}
