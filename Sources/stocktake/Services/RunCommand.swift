import ArgumentParser
import Files
import Ledger
import Operations
import RedisClient
import ServiceLifecycle

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Runs everything in one process: consumer, HTTP and, without a Redis URL, a private redis-server in the data folder.",
        discussion:
            "Serves no HTTP with --until-idle. Creates the ledger if there is none. Exit codes: 0 after SIGTERM, or when idle with --until-idle; 2 continuing would be unsafe."
    )

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Exit when no message is unread or pending.")
    var untilIdle = false

    func run() async throws {
        LineWriter.becomeService()
        setUpMalloc()
        let settings = try options.resolve()
        let logger = settings.logger()
        let http = HTTPServices(settings, logger: logger)
        if settings.redisURL == nil, FilePath.socketAddress(settings.privateRedis.socket) == nil {
            throw ValidationError(
                "The data folder's path is too long for a socket in it (at most \(RedisURL.maximumSocketPathBytes) bytes with /redis.sock). Choose a shorter path with --data."
            )
        }
        try await settings.createLedgerIfMissing()
        try await warnOfEmptyCatalogue(settings)
        // As in `consume`: a run until idle serves no HTTP.
        let httpServices = untilIdle ? [] : try await http.all(decides: true)
        // In start order; they stop in reverse order.
        var services: [any Service] = []
        if settings.redisURL == nil {
            // The ledger may be elsewhere, so nothing may have created the folder yet.
            FilePath.makeFolder(settings.data, mode: 0o700)
            let redis = PrivateRedis(settings.privateRedis, logger: logger)
            try await redis.keepRunning()
            services.append(redis)
        }
        services.append(consumerService(settings, untilIdle: untilIdle))
        services += httpServices
        try await runServices(services, logger: logger)
    }

    private func warnOfEmptyCatalogue(_ settings: Settings) async throws {
        let ledger = try await settings.ledger.openReader(settings.store)
        defer { try? ledger.close() }
        if try await ledger.stock().products.isEmpty {
            printError(
                "The catalogue is empty, so every order would be a dead letter. Import one: stocktake sync config/products.json"
            )
        }
    }
}
