import ArgumentParser
import Ledger

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves availability over HTTP: reads, live events, the drop's page. Decides nothing.",
        discussion: """
            Any number of these processes may run beside one consumer. The operator's page and the metrics have a \
            separate address. Exit codes: 0 after SIGTERM; 2 it cannot listen, or there is no ledger.
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        LineWriter.becomeService()
        let settings = try options.resolve()
        try await settings.ledger.requireExistence()
        let logger = settings.logger()
        let http = HTTPServices(settings, logger: logger)
        try await runServices(try await http.all(decides: false), logger: logger)
    }
}
