import Foundation
import GRDB
import Domain
import RedisClient
import RedisLayout
import TestSupport
import Testing

/// A private shop for a test: a real Redis, a ledger file, and the real binary to drive them.
final class Shop: Sendable {
    let folder: TemporaryFolder
    let redis: TestRedisServer
    let keys = StoreKeys(store: "main")
    private let database: Int

    var ledger: String { folder.path(of: "ledger.sqlite") }

    /// Two levels of caps, an unlimited product, and one that is sold without variants.
    static let catalogue = """
        {"categories": ["kit", "material"], "products": [
          {"id": "CUBE", "name": "Cube", "category": "kit", "dev_status": 5, "base_price": 100, "has_variants": true,
           "max_quantity": 10, "variants": [
             {"id": "BLACK", "name": "Black", "max_quantity": 5}, {"id": "WHITE", "name": "White", "max_quantity": 4},
             {"id": "RED", "name": "Red"}]},
          {"id": "OTHER", "name": "Other", "category": "kit", "dev_status": 5, "base_price": 100, "has_variants": true,
           "variants": [{"id": "GREEN", "name": "Green", "max_quantity": 2}]},
          {"id": "LAMP", "name": "Lamp", "category": "kit", "dev_status": 5, "base_price": 50, "has_variants": false,
           "max_quantity": 7},
          {"id": "PANEL", "name": "Panel", "category": "material", "dev_status": 5, "base_price": 5,
           "has_variants": false, "max_quantity": null}]}
        """

    /// - Parameters:
    ///   - catalogue: Synced at once; nil leaves the shop without a ledger.
    ///   - database: The database of its keys; other than 0 only until the server restarts.
    init(
        catalogue: String? = Shop.catalogue, redis arguments: [String] = [], on program: RedisServerProgram = .chosen,
        database: Int = 0
    ) async throws {
        folder = try TemporaryFolder()
        redis = try await TestRedisServer.start(arguments, on: program)
        self.database = database
        if database != 0 { try await redis.command("SELECT", "\(database)") }
        if let catalogue {
            let path = try folder.write(catalogue, to: "products.json")
            try await succeed("sync", path)
        }
    }

    /// Arguments with which Redis forgets nothing that it has acknowledged.
    static let durable = ["--appendonly", "yes", "--appendfsync", "always"]

    // MARK: - The binary

    struct Result: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    private func environment(_ more: [String: String]) -> [String: String] {
        [
            "STOCKTAKE_REDIS_URL": "unix://\(redis.socketPath)?db=\(database)", "STOCKTAKE_LEDGER": ledger,
            "STOCKTAKE_DATA": folder.path, "STOCKTAKE_LOG_LEVEL": "notice",
            // Any free port: tests run in parallel.
            "STOCKTAKE_HTTP_PORT": "0",
        ].merging(more) { $1 }
    }

    /// Starts a subcommand and leaves it running.
    /// - Parameter wrapper: A program with its arguments that is followed by the command and ends when the command
    ///   ends.
    func start(
        _ arguments: [String], environment more: [String: String] = [:], input: String = "",
        under wrapper: [String] = []
    ) throws -> ChildProcess {
        // A free port for each process that opens the operator's address by default.
        let port = ["run", "serve"].contains(arguments.first) ? ["STOCKTAKE_OPERATOR_PORT": "0"] : [:]
        let command = wrapper + [try builtBinary("stocktake")] + arguments
        return try ChildProcess(
            command[0], Array(command.dropFirst()), environment: environment(port).merging(more) { $1 },
            standardInput: input)
    }

    /// Runs a subcommand to its end.
    @discardableResult
    func run(
        _ arguments: [String], environment more: [String: String] = [:], input: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> Result {
        let process = try start(arguments, environment: more, input: input)
        switch try await process.waitForEnding(within: limit) {
        case .exited(let status):
            return Result(status: status, output: process.standardOutput, errors: process.standardError)
        case .signalled(let signal):
            throw TestSupportError("stocktake \(arguments) died of signal \(signal): \(process.standardError)")
        }
    }

    /// Runs a subcommand that must exit 0.
    @discardableResult
    func succeed(_ arguments: String..., input: String = "", within limit: Duration = .seconds(60)) async throws
        -> String
    {
        try await succeed(arguments: arguments, input: input, within: limit)
    }

    @discardableResult
    func succeed(
        arguments: [String], input: String = "", within limit: Duration = .seconds(60)
    ) async throws -> String {
        let result = try await run(arguments, input: input, within: limit)
        guard result.status == 0 else {
            throw TestSupportError("stocktake \(arguments) exited \(result.status): \(result.errors)\(result.output)")
        }
        return result.output
    }

    /// Starts a consumer and waits until it has opened its first epoch.
    func startConsumer(_ more: String..., environment: [String: String] = [:]) async throws -> ChildProcess {
        let consumer = try start(["consume"] + more, environment: environment)
        try await consumer.waitForLine(containing: "consuming store", within: .seconds(20))
        return consumer
    }

    /// Consumes until nothing is unread or pending.
    func consumeAll(within limit: Duration = .seconds(120)) async throws {
        try await succeed("consume", "--until-idle", within: limit)
    }

    func publish(_ messages: [SequentialModel.Message]) async throws {
        try await publish(messages.map(\.message))
    }

    func publish(_ lines: [String]) async throws {
        try await succeed("publish", "-", input: lines.joined(separator: "\n") + "\n")
    }

    // MARK: - Results

    /// Rows of the ledger, as text.
    func query(_ sql: String) throws -> [[String]] {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: ledger, configuration: configuration)
        return try queue.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { String.fromDatabaseValue($0) ?? "\($0)" }
            }
        }
    }

    /// Edits the ledger directly, without the program noticing.
    func edit(_ sql: String) throws {
        let queue = try DatabaseQueue(path: ledger)
        try queue.write { db in try db.execute(sql: sql) }
    }

    /// Overwrites a page of the ledger's file with zeros, as a failing disk might.
    func zero(page: Int) throws {
        guard page > 0, let file = FileHandle(forUpdatingAtPath: ledger) else {
            throw TestSupportError("no page \(page) in \(ledger)")
        }
        try file.seek(toOffset: UInt64(page - 1) * 4_096)
        try file.write(contentsOf: Data(count: 4_096))
        try file.close()
    }

    /// Ids of the messages in the stream, the oldest first.
    func entryIDs() async throws -> [String] {
        try await redis.command("XRANGE", keys.checkouts, "-", "+").array?.compactMap { $0.array?.first?.string } ?? []
    }

    /// Checkpoints the ledger's log into its file.
    func checkpoint() throws {
        let queue = try DatabaseQueue(path: ledger)
        try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_checkpoint(RESTART)") }
    }

    /// The single value of a query.
    func value(_ sql: String) throws -> String {
        try query(sql).first?.first ?? ""
    }

    func count(_ table: String) throws -> Int {
        Int(try value("SELECT count(*) FROM \(table)")) ?? -1
    }

    /// Waits until the ledger holds this many orders.
    func waitForOrders(_ number: Int, within limit: Duration = .seconds(30)) async throws {
        try await eventually(within: limit, "\(number) orders in the ledger") { try count("orders") >= number }
    }

    func pending() async throws -> Int64 {
        try await redis.command("XPENDING", keys.checkouts, StoreKeys.group).array?.first?.int ?? -1
    }

    /// The outcomes on their stream, each as its fields.
    func outcomes() async throws -> [[String: String]] {
        try await entries(of: keys.outcomes)
    }

    func entries(of stream: String) async throws -> [[String: String]] {
        let reply = try await redis.command("XRANGE", stream, "-", "+").array ?? []
        return reply.compactMap { entry in
            guard let flat = entry.array?.last?.array else { return nil }
            var fields: [String: String] = [:]
            for at in stride(from: 0, to: flat.count - 1, by: 2) { fields[flat[at].string ?? ""] = flat[at + 1].string }
            return fields
        }
    }

    /// Checks that the ledger holds exactly the result of the orders one by one, and that all is consistent.
    func expectResult(
        of orders: [SequentialModel.Order], _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await expectResult(of: orders.map { .order($0) }, location)
    }

    /// The same for messages of all kinds; cancellations that precede their order are processed at the end.
    func expectResult(
        of messages: [SequentialModel.Message], _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try SequentialModel().taking(messages).expect(self, location)
        try await expectConsistent(location)
    }

    /// Checks that the ledger is sound, the counters equal it, nothing is pending, and everything is announced.
    func expectConsistent(_ location: SourceLocation = #_sourceLocation) async throws {
        let check = try await run(["ledger", "check"])
        #expect(check.status == 0, "\(check.output)\(check.errors)", sourceLocation: location)
        let drift = try await run(["reconcile"])
        #expect(drift.status == 0, "\(drift.output)\(drift.errors)", sourceLocation: location)
        #expect(try await pending() == 0, sourceLocation: location)
        try await expectAnnounced(location)
    }
}
