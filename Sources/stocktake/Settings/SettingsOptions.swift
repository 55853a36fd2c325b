import ArgumentParser

/// The flags that all subcommands share.
struct SettingsOptions: ParsableArguments {
    @Option(
        help:
            "Redis: redis://[user:password@]host:port[/db], rediss://…, unix:///path. Default: the private Redis of 'run'."
    )
    var redisURL: String?

    @Option(help: "CA certificates (PEM) that verify a rediss:// server. Default: the system's.")
    var redisCAFile: String?

    @Option(help: "The ledger: a file, or sqlite:///PATH. Default: ledger.sqlite in the data folder.")
    var ledger: String?

    @Option(help: "The store's name. \(SettingKey.store.defaultNote)")
    var store: String?

    @Option(help: "The folder of the ledger and the private Redis. \(SettingKey.data.defaultNote)")
    var data: String?

    @Option(help: "The name of this process in the consumer group. Default: the host's name.")
    var consumer: String?

    @Option(
        help:
            "The log level: trace, debug, info, notice, warning, error or critical. \(SettingKey.logLevel.defaultNote)",
        completion: .list(Words.logLevels))
    var logLevel: String?

    @Option(help: "The maximum number of orders in a batch. \(SettingKey.batchOrders.defaultNote)")
    var batchOrders: Int?

    @Option(
        name: .customLong("keep-messages-s"),
        help: "Seconds that processed messages are kept in the stream. \(SettingKey.messageAge.defaultNote)")
    var messageAge: Int?

    @Option(
        name: .customLong("keep-messages"),
        help:
            "The approximate number of messages above which processed ones are trimmed, whatever their age. \(SettingKey.keepMessages.defaultNote)"
    )
    var keepMessages: Int?

    @Option(help: "The approximate number of outcomes kept in their stream. \(SettingKey.keepOutcomes.defaultNote)")
    var keepOutcomes: Int?

    @Option(
        help:
            "Bytes that a dead letter keeps of a payload above the size limit. \(SettingKey.deadLetterBytes.defaultNote)"
    )
    var deadLetterBytes: Int?

    @Option(
        name: .customLong("reconcile-interval-s"),
        help:
            "Seconds between the consumer's comparisons of counters and ledger; 0 = none. \(SettingKey.reconcileInterval.defaultNote)"
    )
    var reconcileInterval: Int?

    @Option(help: "The address of 'run' and 'serve' for shops and shoppers. \(SettingKey.httpHost.defaultNote)")
    var httpHost: String?

    @Option(help: "The port for shops and shoppers; 0 = any free port. \(SettingKey.httpPort.defaultNote)")
    var httpPort: Int?

    @Option(help: "Other origins whose pages may read availability, separated by commas, or \"*\". Default: none.")
    var httpAllowOrigin: String?

    @Option(
        help: "yes: serve the ledger's availability, marked as such, while Redis is unavailable. Default: no (503).")
    var httpLedgerFallback: String?

    @Option(help: "The maximum number of concurrent connections; more wait. \(SettingKey.httpConnections.defaultNote)")
    var httpConnections: Int?

    @Option(
        help:
            "Bytes buffered for slow clients, over all connections; above that the slowest are closed. \(SettingKey.httpBufferBytes.defaultNote)"
    )
    var httpBufferBytes: Int?

    @Option(
        help:
            "The address of the operator's page and the metrics; any address but loopback requires a token. \(SettingKey.operatorHost.defaultNote)"
    )
    var operatorHost: String?

    @Option(
        help:
            "The operator's port; 0 = any free port. Default: \(HTTPSettings.defaultOperatorPort); none for 'consume'.")
    var operatorPort: Int?

    @Option(help: "The operator's bearer token, which is the password in a browser. Default: none.")
    var operatorToken: String?

    @Option(help: "A JSON file with settings, such as config/stocktake.json.")
    var config: String?

    /// The values of the given flags, by the settings' names.
    var flags: [String: String] {
        func text(_ number: Int?) -> String? { number.map { String($0) } }
        let values: [(SettingName, String?)] = [
            (SettingKey.redisURL.name, redisURL), (SettingKey.redisCAFile.name, redisCAFile),
            (SettingKey.ledger.name, ledger), (SettingKey.store.name, store), (SettingKey.data.name, data),
            (SettingKey.consumer.name, consumer), (SettingKey.logLevel.name, logLevel),
            (SettingKey.batchOrders.name, text(batchOrders)), (SettingKey.messageAge.name, text(messageAge)),
            (SettingKey.keepMessages.name, text(keepMessages)),
            (SettingKey.keepOutcomes.name, text(keepOutcomes)),
            (SettingKey.deadLetterBytes.name, text(deadLetterBytes)),
            (SettingKey.reconcileInterval.name, text(reconcileInterval)), (SettingKey.httpHost.name, httpHost),
            (SettingKey.httpPort.name, text(httpPort)), (SettingKey.httpAllowOrigin.name, httpAllowOrigin),
            (SettingKey.httpLedgerFallback.name, httpLedgerFallback),
            (SettingKey.httpConnections.name, text(httpConnections)),
            (SettingKey.httpBufferBytes.name, text(httpBufferBytes)),
            (SettingKey.operatorHost.name, operatorHost), (SettingKey.operatorPort.name, text(operatorPort)),
            (SettingKey.operatorToken.name, operatorToken),
        ]
        return Dictionary(values.compactMap { name, value in value.map { (name.key, $0) } }, uniquingKeysWith: { $1 })
    }

    /// The settings, each from the first source that has it: flag, environment, file, default.
    func resolve() throws -> Settings {
        try Settings(SettingsSources(options: self))
    }
}
