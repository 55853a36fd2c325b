import ArgumentParser
import Consumer
import Glibc
import Domain
import Ledger
import Logging
import Operations
import Files
import RedisClient
import RedisLayout

/// All settings, validated.
struct Settings: Sendable {
    /// nil selects the private Redis of `run`.
    var redisURL: RedisURL?
    var redisOptions = RedisOptions()
    /// Absolute.
    var data: String
    var ledger: any LedgerLocation
    var store: String
    var logLevel: Logger.Level
    var consumer = ConsumerSettings()
    /// nil if counters and ledger are not compared.
    var reconcileInterval: Duration?
    var http: HTTPSettings

    init(_ sources: SettingsSources) throws {
        data = FilePath.absolute(try sources.value(.data))
        ledger = try sources.value(.ledger).map(LedgerURL.location) ?? LedgerURL.file(data + "/ledger.sqlite")
        store = try sources.value(.store)
        if let violation = StoreKeys.violation(inStoreName: store) {
            throw ValidationError("The store's name \(violation). Choose another one with --store.")
        }
        if let url = try sources.value(.redisURL) {
            do { redisURL = try RedisURL(url) } catch { throw ValidationError("\(error)") }
        }
        redisOptions.caFile = try sources.value(.redisCAFile)
        let level = try sources.value(.logLevel)
        guard let logLevel = Logger.Level(rawValue: level) else {
            throw ValidationError("log_level is \"\(level)\"; \(Words.guidance(for: level, among: Words.logLevels))")
        }
        self.logLevel = logLevel
        consumer.consumer = try sources.value(.consumer) ?? Self.hostName()
        consumer.batchOrders = try sources.value(.batchOrders)
        consumer.messageAge = .seconds(try sources.value(.messageAge))
        consumer.keepMessages = try sources.value(.keepMessages)
        consumer.deadLetterBytes = try sources.value(.deadLetterBytes)
        consumer.keepOutcomes = try sources.value(.keepOutcomes)
        let seconds = try sources.value(.reconcileInterval)
        reconcileInterval = seconds == 0 ? nil : .seconds(seconds)
        http = try HTTPSettings(sources)
    }

    /// The files of the private Redis, which `run` creates and other commands look for.
    var privateRedis: PrivateRedis.Location { PrivateRedis.Location(data: data) }

    /// The Redis to use: that of `redis_url`, or without one the private Redis.
    var redis: RedisURL { redisURL ?? RedisURL(unixSocket: privateRedis.socket) }

    var keys: StoreKeys { StoreKeys(store: store) }

    func logger() -> Logger {
        var logger = Logger(label: "stocktake") { _ in LineLogHandler() }
        logger.logLevel = logLevel
        return logger
    }

    /// What operations need to reach the store.
    var access: StoreAccess {
        StoreAccess(
            ledger: ledger, store: store, redis: redis, redisOptions: redisOptions,
            privateRedis: redisURL == nil ? privateRedis : nil, by: nil, logger: logger())
    }

    /// `access` with the operating system's user, for operations that record who requested them.
    func accessOfOperator() async -> StoreAccess {
        var access = access
        access.by = await OperatingSystemUser.name()
        return access
    }

    /// Creates the ledger if there is none, and reports that.
    func createLedgerIfMissing() async throws {
        if try await ledger.exists() { return }
        try await ledger.create(store: store)
        printError("created the ledger \(ledger) for store \(store)")
    }

    /// A client for a short command: an unreachable Redis is an error at once, not logged and waited for.
    func client() -> RedisClient { access.client() }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "stocktake" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
