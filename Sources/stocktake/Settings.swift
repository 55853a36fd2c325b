import ArgumentParser
import Consumer
import Glibc
import Inventory
import Logging
import Operations
import Paths
import RedisClient
import StrictJSON

/// One setting: its key in the configuration file, and its default. The flag is the same with dashes, the environment
/// variable in capitals with the prefix `STOCKTAKE_`.
struct SettingKey: Sendable {
    var name: String
    var defaultValue: JSONValue
    /// Its value is a path, or has one, and so need not be UTF-8.
    var isPath = false

    var flag: String { "--" + name.replacing("_", with: "-") }
    var variable: String { "STOCKTAKE_" + name.uppercased() }

    static let redisURL = SettingKey(name: "redis_url", defaultValue: .null, isPath: true)
    static let redisCAFile = SettingKey(name: "redis_ca_file", defaultValue: .null, isPath: true)
    static let ledger = SettingKey(name: "ledger", defaultValue: .null, isPath: true)
    static let store = SettingKey(name: "store", defaultValue: .string("main"))
    static let data = SettingKey(name: "data", defaultValue: .string("data"), isPath: true)
    static let consumer = SettingKey(name: "consumer", defaultValue: .null)
    static let logLevel = SettingKey(name: "log_level", defaultValue: .string("info"))
    static let batchOrders = SettingKey(name: "batch_orders", defaultValue: .number(JSONNumber(2_048)))
    static let keepMessages = SettingKey(name: "keep_messages_s", defaultValue: .number(JSONNumber(86_400)))
    static let keepMessageCount = SettingKey(name: "keep_messages", defaultValue: .number(JSONNumber(1_000_000)))
    static let keepOutcomes = SettingKey(name: "keep_outcomes", defaultValue: .number(JSONNumber(100_000)))

    static let deadLetterBytes = SettingKey(name: "dead_letter_bytes", defaultValue: .number(JSONNumber(65_536)))
    static let reconcileInterval = SettingKey(
        name: "reconcile_interval_s", defaultValue: .number(JSONNumber(30)))

    static let httpHost = SettingKey(name: "http_host", defaultValue: .string("127.0.0.1"))
    static let httpPort = SettingKey(name: "http_port", defaultValue: .number(JSONNumber(8_080)))
    static let httpAllowOrigin = SettingKey(name: "http_allow_origin", defaultValue: .null)
    static let httpLedgerFallback = SettingKey(name: "http_ledger_fallback", defaultValue: .string("no"))
    static let httpConnections = SettingKey(name: "http_connections", defaultValue: .number(JSONNumber(10_000)))
    static let httpBufferBytes = SettingKey(
        name: "http_buffer_bytes", defaultValue: .number(JSONNumber(256 << 20)))
    static let operatorHost = SettingKey(name: "operator_host", defaultValue: .string("127.0.0.1"))
    static let operatorPort = SettingKey(name: "operator_port", defaultValue: .null)
    static let operatorToken = SettingKey(name: "operator_token", defaultValue: .null)

    static let all = [
        redisURL, redisCAFile, ledger, store, data, consumer, logLevel, batchOrders, keepMessages,
        keepMessageCount, keepOutcomes, deadLetterBytes,
        reconcileInterval, httpHost, httpPort, httpAllowOrigin, httpLedgerFallback, httpConnections,
        httpBufferBytes, operatorHost, operatorPort, operatorToken,
    ]
}

/// The flags that every subcommand has.
struct SettingsOptions: ParsableArguments {
    @Option(
        help:
            "Redis: redis://[user:password@]host:port[/db], rediss://…, unix:///path. Default: the private Redis of 'run'."
    )
    var redisURL: String?

    @Option(help: "Certificates (PEM) that a rediss:// server must be signed by; default: the system's.")
    var redisCAFile: String?

    @Option(help: "The ledger's file. Default: ledger.sqlite in the data folder.")
    var ledger: String?

    @Option(help: "The store's name. Default: main.")
    var store: String?

    @Option(help: "The data folder: ledger and private Redis. Default: data.")
    var data: String?

    @Option(help: "The name under which messages are delivered to this process. Default: the host's name.")
    var consumer: String?

    @Option(
        help: "trace, debug, info, notice, warning, error or critical. Default: info.",
        completion: .list(Words.logLevels))
    var logLevel: String?

    @Option(help: "Orders decided and recorded at a time, at most. Default: 2048.")
    var batchOrders: Int?

    @Option(
        name: .customLong("keep-messages-s"),
        help: "Seconds that processed messages stay in the stream. Default: 86400.")
    var keepMessages: Int?

    @Option(
        name: .customLong("keep-messages"),
        help:
            "How many messages the stream holds, about, before processed ones go whatever their age. Default: 1000000."
    )
    var keepMessageCount: Int?

    @Option(help: "How many outcomes their stream keeps, about. Default: 100000.")
    var keepOutcomes: Int?

    @Option(
        help: "Bytes that a dead letter keeps of a payload that is too large for any message. Default: 65536.")
    var deadLetterBytes: Int?

    @Option(
        name: .customLong("reconcile-interval-s"),
        help: "Seconds between two comparisons of counters and ledger by the consumer; 0 = none. Default: 30.")
    var reconcileInterval: Int?

    @Option(help: "Where shops and shoppers reach 'run' and 'serve'. Default: 127.0.0.1.")
    var httpHost: String?

    @Option(help: "Its port; 0 = any free one. Default: 8080.")
    var httpPort: Int?

    @Option(help: "Other origins whose pages may read it, separated by commas, or \"*\". Default: none.")
    var httpAllowOrigin: String?

    @Option(help: "yes: give the ledger's figures, marked so, while Redis' cannot be had. Default: no (503).")
    var httpLedgerFallback: String?

    @Option(help: "Connections at a time; more wait. Default: 10000.")
    var httpConnections: Int?

    @Option(
        help:
            "Bytes held for clients that have not read them, over all connections; then the slowest are closed. Default: 268435456."
    )
    var httpBufferBytes: Int?

    @Option(
        help:
            "Where the operator's page and the metrics are. Other than loopback only with a token. Default: 127.0.0.1.")
    var operatorHost: String?

    @Option(help: "Its port; 0 = any free one. Default: 8081; none for 'consume'.")
    var operatorPort: Int?

    @Option(help: "What the operator has to know: bearer token, or the password in a browser. Default: nothing.")
    var operatorToken: String?

    @Option(help: "A JSON file with settings, as config/stocktake.json.")
    var config: String?

    fileprivate var flags: [String: String] {
        let values: [(SettingKey, String?)] = [
            (.redisURL, redisURL), (.redisCAFile, redisCAFile), (.ledger, ledger), (.store, store), (.data, data),
            (.consumer, consumer), (.logLevel, logLevel), (.batchOrders, batchOrders.map { String($0) }),
            (.keepMessages, keepMessages.map { String($0) }),
            (.keepMessageCount, keepMessageCount.map { String($0) }), (.keepOutcomes, keepOutcomes.map { String($0) }),
            (.deadLetterBytes, deadLetterBytes.map { String($0) }),
            (.reconcileInterval, reconcileInterval.map { String($0) }), (.httpHost, httpHost),
            (.httpPort, httpPort.map { String($0) }), (.httpAllowOrigin, httpAllowOrigin),
            (.httpLedgerFallback, httpLedgerFallback), (.httpConnections, httpConnections.map { String($0) }),
            (.httpBufferBytes, httpBufferBytes.map { String($0) }),
            (.operatorHost, operatorHost), (.operatorPort, operatorPort.map { String($0) }),
            (.operatorToken, operatorToken),
        ]
        return Dictionary(values.compactMap { key, value in value.map { (key.name, $0) } }, uniquingKeysWith: { $1 })
    }

    /// The settings, each from the first source that has it: flag, environment, file, default.
    func resolve() throws -> Settings {
        try Settings(SettingsSources(options: self))
    }
}

/// Where settings come from, and how a value is taken out.
struct SettingsSources {
    private let flags: [String: String]
    private let file: [String: JSONValue]
    private let fileName: String

    fileprivate init(options: SettingsOptions) throws {
        flags = options.flags
        fileName = options.config ?? EnvironmentVariable.value(of: EnvironmentVariable.config) ?? ""
        file = fileName.isEmpty ? [:] : try Self.read(fileName)
        EnvironmentVariable.warnOfUnknown()
    }

    private static func read(_ path: String) throws -> [String: JSONValue] {
        func failure(_ why: String) -> ValidationError {
            ValidationError("reading the settings failed: on \(path): \(why)")
        }
        guard let bytes = FilePath.contents(of: path) else {
            throw failure("it cannot be read. Check the path and its permissions.")
        }
        guard let text = TextStart.text(of: bytes) else { throw failure("it \(TextStart.refusal).") }
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw failure("it is no JSON (\(error)).")
        }
        guard case .object(let object) = value else { throw failure("it is not an object. See config/stocktake.json.") }
        let known = SettingKey.all.map(\.name)
        for member in object.members where !known.contains(member.key) {
            let guess = KeyGuess.closest(to: member.key, among: known).map { " Did you mean \"\($0)\"?" } ?? ""
            throw failure("\"\(member.key)\" is no setting.\(guess)")
        }
        return Dictionary(uniqueKeysWithValues: object.members.map { ($0.key, $0.value) })
    }

    /// The value as text, and the place it was found.
    private func find(_ key: SettingKey) throws -> (text: String, place: String)? {
        if let value = flags[key.name] { return (value, key.flag) }
        if let value = EnvironmentVariable.value(of: key.variable) {
            guard key.isPath || FilePath.isUTF8(value) else {
                throw ValidationError("\(key.variable) is not UTF-8.")
            }
            return (value, key.variable)
        }
        let inFile = file[key.name]
        let place = inFile == nil ? "the default of \(key.name)" : "\(key.name) in \(fileName)"
        switch inFile ?? key.defaultValue {
        case .null: return nil
        case .string(let text): return (key.isPath ? FilePath.text(text.utf8) : text, place)
        case .number(let number): return (number.text, place)
        default: throw ValidationError("\(place) must be text or a number.")
        }
    }

    func text(_ key: SettingKey) throws -> String? { try find(key)?.text }

    func number(_ key: SettingKey, in range: ClosedRange<Int>) throws -> Int {
        guard let number = try optionalNumber(key, in: range) else {
            throw ValidationError("\(key.name) must have a value.")
        }
        return number
    }

    func isOn(_ key: SettingKey) throws -> Bool {
        guard let (text, place) = try find(key) else { return false }
        guard let isOn = ["yes": true, "no": false][text] else {
            throw ValidationError("\(place) is \"\(text)\"; it must be yes or no.")
        }
        return isOn
    }

    func optionalNumber(_ key: SettingKey, in range: ClosedRange<Int>) throws -> Int? {
        guard let (text, place) = try find(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw ValidationError(
                "\(place) is \"\(text)\"; it must be an integer from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}

/// All settings, valid.
struct Settings: Sendable {
    /// nil: the private Redis of `run`.
    var redisURL: RedisURL?
    var redisOptions = RedisOptions()
    /// Absolute.
    var data: String
    /// Absolute.
    var ledger: String
    var store: String
    var logLevel: Logger.Level
    var consumer = ConsumerSettings()
    /// nil: none.
    var reconcileInterval: Duration?
    var http: HTTPSettings

    fileprivate init(_ sources: SettingsSources) throws {
        data = FilePath.absolute(try sources.text(.data) ?? "data")
        ledger = try sources.text(.ledger).map(FilePath.absolute) ?? data + "/ledger.sqlite"
        store = try sources.text(.store) ?? "main"
        if let violation = StoreKeys.violation(inStoreName: store) {
            throw ValidationError("The store's name \(violation). Give it another one with --store.")
        }
        if let url = try sources.text(.redisURL), !url.isEmpty {
            do { redisURL = try RedisURL(url) } catch { throw ValidationError("\(error)") }
        }
        redisOptions.caFile = try sources.text(.redisCAFile)
        let level = try sources.text(.logLevel) ?? "info"
        guard let logLevel = Logger.Level(rawValue: level) else {
            throw ValidationError("log_level is \"\(level)\"; \(Words.guidance(for: level, among: Words.logLevels))")
        }
        self.logLevel = logLevel
        consumer.consumer = try sources.text(.consumer) ?? Self.hostName()
        consumer.batchOrders = try sources.number(.batchOrders, in: 1...10_000)
        consumer.messageAge = .seconds(try sources.number(.keepMessages, in: 0...1_000_000_000))
        // A node of a stream has 100 entries: below that the number would say nothing.
        consumer.keepMessages = try sources.number(.keepMessageCount, in: 100...1_000_000_000)
        let seconds = try sources.number(.reconcileInterval, in: 0...86_400)
        reconcileInterval = seconds == 0 ? nil : .seconds(seconds)
        consumer.deadLetterBytes = try sources.number(.deadLetterBytes, in: 0...Limit.payloadBytes)
        consumer.keepOutcomes = try sources.number(.keepOutcomes, in: 1...1_000_000_000)
        http = try HTTPSettings(sources)
    }

    /// The private Redis' socket, where `run` makes it and the others look for it.
    var privateRedis: PrivateRedis.Place { PrivateRedis.Place(data: data) }

    /// The Redis to use: that of `redis_url`, or else the private one.
    var redis: RedisURL { redisURL ?? RedisURL(unixSocket: privateRedis.socket) }

    var keys: StoreKeys { StoreKeys(store: store) }

    func logger() -> Logger {
        var logger = Logger(label: "stocktake") { _ in LineLogHandler() }
        logger.logLevel = logLevel
        return logger
    }

    /// The store, as operations reach it.
    var access: StoreAccess {
        StoreAccess(
            ledger: ledger, store: store, redis: redis, redisOptions: redisOptions,
            privateRedis: redisURL == nil ? privateRedis : nil, logger: logger())
    }

    /// A client for a short command: what it cannot reach is said at once, not logged and waited for.
    func client() -> RedisClient { access.client() }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "stocktake" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
