import ArgumentParser
import Logging
import ServiceLifecycle

struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Decides and records the messages of one store, or stands by while another process does.",
        discussion: "Exit codes: 0 after SIGTERM, or when idle with --until-idle; 2 continuing would be unsafe.")

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Exit when no message is unread or pending.")
    var untilIdle = false

    func run() async throws {
        LineWriter.becomeService()
        setUpMalloc()
        let settings = try options.resolve()
        try await settings.ledger.requireExistence()
        let logger = settings.logger()
        var operatorServices: [any Service] = []
        // Not with `--until-idle`: the run is too short to watch, and a reader that outlives the consumer would prevent
        // the consumer's final clean-up of the ledger.
        if settings.http.operatorPort != nil, !untilIdle {
            operatorServices = try await HTTPServices(settings, logger: logger).operatorOnly()
        }
        try await runServices([consumerService(settings, untilIdle: untilIdle)] + operatorServices, logger: logger)
    }
}
