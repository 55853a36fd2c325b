import Glibc
import Domain
import Ledger
import Logging
import Files
import RedisClient
import RedisLayout

/// The store that an operation works on, and how to reach it.
package struct StoreAccess: Sendable {
    package var ledger: any LedgerLocation
    /// The store's name.
    package var store: String
    package var redis: RedisURL
    package var redisOptions: RedisOptions
    /// nil if Redis is not the private one.
    package var privateRedis: PrivateRedis.Location?
    /// Who requested the operation; nil if unknown.
    package var by: String?
    package var logger: Logger

    package init(
        ledger: any LedgerLocation, store: String, redis: RedisURL, redisOptions: RedisOptions,
        privateRedis: PrivateRedis.Location?, by: String?, logger: Logger
    ) {
        self.ledger = ledger
        self.store = store
        self.redis = redis
        self.redisOptions = redisOptions
        self.privateRedis = privateRedis
        self.by = by
        self.logger = logger
    }

    var keys: StoreKeys { StoreKeys(store: store) }

    /// A client for a short operation: a Redis that cannot be reached is an error at once, not logged and waited for.
    package func client() -> RedisClient {
        var logger = logger
        logger.logLevel = .critical
        return RedisClient(url: redis, options: redisOptions, logger: logger)
    }

    /// Runs `body` with Redis. A private one is started if it has data and is not running, and is shut down afterwards.
    ///
    /// - Parameter body: receives nil if the private Redis has never run: it holds nothing.
    func withRedis<T>(_ body: (RedisClient?) async throws -> T) async throws -> T {
        var own: PrivateRedis?
        if let privateRedis {
            if FilePath.access(privateRedis.folder, F_OK) != 0 { return try await body(nil) }
            let server = PrivateRedis(privateRedis, logger: logger)
            try await server.keepRunning()
            own = server
        }
        let client = client()
        do {
            // A private Redis may just have been started, and has to load its data.
            try await client.waitUntilConnected(within: .seconds(own == nil ? 5 : 30))
            let result = try await body(client)
            await client.close()
            await own?.end()
            return result
        } catch {
            await client.close()
            await own?.end()
            throw error
        }
    }
}
