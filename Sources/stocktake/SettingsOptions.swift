import ArgumentParser

/// The flags that every subcommand has.
struct SettingsOptions: ParsableArguments {
    @Option(
        help:
            "Redis: redis://[user:password@]host:port[/db], rediss://…, unix:///path. Default: the private Redis of 'run'."
    )
    var redisURL: String?

    @Option(help: "Certificates (PEM) that a rediss:// server must be signed by; default: the system's.")
    var redisCAFile: String?

    @Option(help: "The ledger: a file, or sqlite:///PATH. Default: ledger.sqlite in the data folder.")
    var ledger: String?

    @Option(help: "The store's name. \(SettingKey.store.defaultNote)")
    var store: String?

    @Option(help: "The data folder: ledger and private Redis. \(SettingKey.data.defaultNote)")
    var data: String?

    @Option(help: "The name under which messages are delivered to this process. Default: the host's name.")
    var consumer: String?

    @Option(
        help: "trace, debug, info, notice, warning, error or critical. \(SettingKey.logLevel.defaultNote)",
        completion: .list(Words.logLevels))
    var logLevel: String?

    @Option(help: "Orders decided and recorded at a time, at most. \(SettingKey.batchOrders.defaultNote)")
    var batchOrders: Int?

    @Option(
        name: .customLong("keep-messages-s"),
        help: "Seconds that processed messages stay in the stream. \(SettingKey.keepMessages.defaultNote)")
    var keepMessages: Int?

    @Option(
        name: .customLong("keep-messages"),
        help:
            "How many messages the stream holds, about, before processed ones go whatever their age. \(SettingKey.keepMessageCount.defaultNote)"
    )
    var keepMessageCount: Int?

    @Option(help: "How many outcomes their stream keeps, about. \(SettingKey.keepOutcomes.defaultNote)")
    var keepOutcomes: Int?

    @Option(
        help:
            "Bytes that a dead letter keeps of a payload that is too large for any message. \(SettingKey.deadLetterBytes.defaultNote)"
    )
    var deadLetterBytes: Int?

    @Option(
        name: .customLong("reconcile-interval-s"),
        help:
            "Seconds between two comparisons of counters and ledger by the consumer; 0 = none. \(SettingKey.reconcileInterval.defaultNote)"
    )
    var reconcileInterval: Int?

    @Option(help: "Where shops and shoppers reach 'run' and 'serve'. \(SettingKey.httpHost.defaultNote)")
    var httpHost: String?

    @Option(help: "Its port; 0 = any free one. \(SettingKey.httpPort.defaultNote)")
    var httpPort: Int?

    @Option(help: "Other origins whose pages may read it, separated by commas, or \"*\". Default: none.")
    var httpAllowOrigin: String?

    @Option(help: "yes: give the ledger's figures, marked so, while Redis' cannot be had. Default: no (503).")
    var httpLedgerFallback: String?

    @Option(help: "Connections at a time; more wait. \(SettingKey.httpConnections.defaultNote)")
    var httpConnections: Int?

    @Option(
        help:
            "Bytes held for clients that have not read them, over all connections; then the slowest are closed. \(SettingKey.httpBufferBytes.defaultNote)"
    )
    var httpBufferBytes: Int?

    @Option(
        help:
            "Where the operator's page and the metrics are. Other than loopback only with a token. \(SettingKey.operatorHost.defaultNote)"
    )
    var operatorHost: String?

    @Option(help: "Its port; 0 = any free one. Default: \(HTTPSettings.defaultOperatorPort); none for 'consume'.")
    var operatorPort: Int?

    @Option(help: "What the operator has to know: bearer token, or the password in a browser. Default: nothing.")
    var operatorToken: String?

    @Option(help: "A JSON file with settings, as config/stocktake.json.")
    var config: String?

    /// The values that flags give, by the settings' names.
    var flags: [String: String] {
        func text(_ number: Int?) -> String? { number.map { String($0) } }
        let values: [(SettingName, String?)] = [
            (SettingKey.redisURL.name, redisURL), (SettingKey.redisCAFile.name, redisCAFile),
            (SettingKey.ledger.name, ledger), (SettingKey.store.name, store), (SettingKey.data.name, data),
            (SettingKey.consumer.name, consumer), (SettingKey.logLevel.name, logLevel),
            (SettingKey.batchOrders.name, text(batchOrders)), (SettingKey.keepMessages.name, text(keepMessages)),
            (SettingKey.keepMessageCount.name, text(keepMessageCount)),
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
