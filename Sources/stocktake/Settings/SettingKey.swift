import Consumer
import Domain

/// A setting: its name in the configuration file, its default and its range, which are stated only here. The flag is
/// the name with dashes; the environment variable is the name in upper case with the prefix `STOCKTAKE_`.
///
/// `Value` is the type of a valid value; an optional one has no default.
struct SettingKey<Value: Sendable>: Sendable {
    let name: SettingName
    let defaultValue: Value
    /// The valid numbers.
    let range: ClosedRange<Int>
    /// Whether an empty text is valid, which switches the setting off.
    let mayBeEmpty: Bool

    fileprivate init(
        _ name: String, default defaultValue: Value, in range: ClosedRange<Int> = .min ... .max, isPath: Bool = false,
        mayBeEmpty: Bool = false
    ) {
        self.name = SettingName(name, isPath: isPath)
        self.defaultValue = defaultValue
        self.range = range
        self.mayBeEmpty = mayBeEmpty
    }

    /// The default, for the help of its flag.
    var defaultNote: String { "Default: \(defaultValue)." }
}

/// The names of a setting in its sources.
struct SettingName: Sendable {
    let key: String
    /// Whether the value is or contains a path, and so need not be UTF-8.
    let isPath: Bool

    fileprivate init(_ key: String, isPath: Bool) {
        self.key = key
        self.isPath = isPath
    }

    var flag: String { "--" + key.replacing("_", with: "-") }
    var variable: String { "STOCKTAKE_" + key.uppercased() }

    static let all: [SettingName] = [
        SettingKey.redisURL.name, SettingKey.redisCAFile.name, SettingKey.ledger.name, SettingKey.store.name,
        SettingKey.data.name, SettingKey.consumer.name, SettingKey.logLevel.name, SettingKey.batchOrders.name,
        SettingKey.messageAge.name, SettingKey.keepMessages.name, SettingKey.keepOutcomes.name,
        SettingKey.deadLetterBytes.name, SettingKey.reconcileInterval.name, SettingKey.httpHost.name,
        SettingKey.httpPort.name, SettingKey.httpAllowOrigin.name, SettingKey.httpLedgerFallback.name,
        SettingKey.httpConnections.name, SettingKey.httpBufferBytes.name, SettingKey.operatorHost.name,
        SettingKey.operatorPort.name, SettingKey.operatorToken.name,
    ]
}

extension SettingKey where Value == String {
    static var store: Self { Self("store", default: "main") }
    static var data: Self { Self("data", default: "data", isPath: true) }
    static var logLevel: Self { Self("log_level", default: "info") }
    static var httpHost: Self { Self("http_host", default: "127.0.0.1") }
    static var operatorHost: Self { Self("operator_host", default: "127.0.0.1") }
}

extension SettingKey where Value == String? {
    static var redisURL: Self { Self("redis_url", default: nil, isPath: true, mayBeEmpty: true) }
    static var redisCAFile: Self { Self("redis_ca_file", default: nil, isPath: true) }
    static var ledger: Self { Self("ledger", default: nil, isPath: true) }
    static var consumer: Self { Self("consumer", default: nil) }
    static var httpAllowOrigin: Self { Self("http_allow_origin", default: nil, mayBeEmpty: true) }
    static var operatorToken: Self { Self("operator_token", default: nil, mayBeEmpty: true) }
}

extension SettingKey where Value == Int {
    private static var consumerDefaults: ConsumerSettings { ConsumerSettings() }

    static var batchOrders: Self { Self("batch_orders", default: consumerDefaults.batchOrders, in: 1...10_000) }
    static var messageAge: Self {
        Self(
            "keep_messages_s", default: Int(consumerDefaults.messageAge / .seconds(1)), in: 0...1_000_000_000)
    }
    /// Redis stores 100 entries in a node of a stream: a smaller number would have no effect.
    static var keepMessages: Self {
        Self("keep_messages", default: consumerDefaults.keepMessages, in: 100...1_000_000_000)
    }
    static var keepOutcomes: Self {
        Self("keep_outcomes", default: consumerDefaults.keepOutcomes, in: 1...1_000_000_000)
    }
    static var deadLetterBytes: Self {
        Self("dead_letter_bytes", default: consumerDefaults.deadLetterBytes, in: 0...Limit.payloadBytes)
    }
    static var reconcileInterval: Self { Self("reconcile_interval_s", default: 30, in: 0...86_400) }
    static var httpPort: Self { Self("http_port", default: 8_080, in: 0...65_535) }
    static var httpConnections: Self { Self("http_connections", default: 10_000, in: 1...1_000_000) }
    /// The largest responses take several megabytes, and one must fit.
    static var httpBufferBytes: Self { Self("http_buffer_bytes", default: 256 << 20, in: 16 << 20...1 << 40) }
}

extension SettingKey where Value == Int? {
    static var operatorPort: Self { Self("operator_port", default: nil, in: 0...65_535) }
}

extension SettingKey where Value == Bool {
    static var httpLedgerFallback: Self { Self("http_ledger_fallback", default: false) }
}
