import ArgumentParser
import Domain
import Ledger
import RedisClient
import StrictJSON

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks everything that a store needs: versions, Redis, the ledger, the consumer, the stream.",
        discussion: """
            Changes nothing and reads little, so it may run every minute, however large the ledger is. With --deep it \
            reads the whole ledger, which takes minutes for millions of orders. The status "unknown" means that the \
            check was not possible, for instance because Redis does not permit the command. Exit codes: 0 nothing is \
            bad; 1 something is bad; 2 neither Redis nor the ledger can be reached.
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(
        help:
            "Also check the whole ledger: integrity, references and recounted sold quantities. Meanwhile its log is not reset."
    )
    var deep = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let settings = try options.resolve()
        var examination = DoctorChecks(settings, isDeep: deep)
        await examination.run()
        if json {
            printJSON(examination.json)
        } else {
            var table = Table([("CHECK", .left), ("STATUS", .left), ("DETAIL", .left)])
            for check in examination.checks { table.add([check.name, check.status.rawValue, check.detail]) }
            table.print()
            if !deep { print("The ledger's orders were not read; --deep reads and counts all of them.") }
        }
        if !examination.couldTell { throw Exit.couldNotTell }
        if examination.status == .bad { throw Exit.no }
    }
}

/// The result of one check.
struct HealthCheck: Sendable {
    /// From best to worst, except `unknown`, which has no rank.
    enum Status: String, Sendable {
        case ok
        /// It works, but needs attention.
        case warn
        case bad
        case unknown
    }

    var name: String
    var status: Status
    var detail: String
}

/// Runs the checks in order, and holds their results so far.
struct DoctorChecks {
    let settings: Settings
    let client: RedisClient
    /// Whether the whole ledger is checked.
    let isDeep: Bool
    var checks: [HealthCheck] = []
    var ledger: (any LedgerReader)?
    var ledgerHead: LedgerHead?
    /// The fields of INFO; nil if Redis cannot be reached, or does not permit the command.
    var info: [String: String]?
    var isRedisReachable = false
    var isConsumerActive = false

    init(_ settings: Settings, isDeep: Bool) {
        self.settings = settings
        self.isDeep = isDeep
        client = settings.client()
    }

    mutating func run() async {
        let progress = Progress()
        progress.show("asking Redis")
        await checkVersionsAndRedis()
        progress.show(isDeep ? "reading the whole ledger" : "reading the ledger")
        await checkLedger()
        progress.show("comparing")
        await checkStore()
        progress.end()
        await client.close()
        try? ledger?.close()
    }

    var couldTell: Bool { isRedisReachable || ledger != nil }

    /// The worst status of all checks that gave a result.
    var status: HealthCheck.Status {
        for status in [HealthCheck.Status.bad, .warn] where checks.contains(where: { $0.status == status }) {
            return status
        }
        return couldTell ? .ok : .unknown
    }

    var json: JSONValue {
        .members([
            "status": .string(status.rawValue), "deep": .bool(isDeep), "store": .string(settings.store),
            "ledger": .string(settings.ledger.name),
            "redis": .string(settings.redis.redacted),
            "checks": .array(
                checks.map { check in
                    .members([
                        "check": .string(check.name.replacing(" ", with: "_")),
                        "status": .string(check.status.rawValue),
                        "detail": .string(check.detail),
                    ])
                }),
        ])
    }

    mutating func add(_ name: String, _ status: HealthCheck.Status, _ detail: String) {
        checks.append(HealthCheck(name: name, status: status, detail: detail))
    }

    typealias ReconcileResult = (status: HealthCheck.Status, detail: String)

    /// Adds the result of a check that asks Redis: `unknown` if Redis does not permit or answer the command.
    mutating func askRedis(_ name: String, _ question: () async throws -> ReconcileResult) async {
        guard isRedisReachable else { return add(name, .unknown, "Redis cannot be reached") }
        do {
            let finding = try await question()
            add(name, finding.status, finding.detail)
        } catch RedisError.reply(let error, let command) where error.code == "NOPERM" {
            add(name, .unknown, "this user may not use \(command)")
        } catch {
            add(name, .unknown, "\(error)")
        }
    }
}
