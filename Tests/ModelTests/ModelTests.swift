import TestSupport
import Testing

/// The events that may occur in a run of the model, and how often. ARCHITECTURE.md, "The model", says what each one
/// found.
struct Configuration: Sendable, CustomTestStringConvertible {
    var name: String
    var macros: [String]

    var testDescription: String { name }

    static let lostTail = Configuration(
        name: "one consumer: a crash, a lost tail, a command in doubt", macros: ["CRASHES=1", "LOSSES=1", "DOUBTS=1"])
    static let threeForTwo = Configuration(
        name: "one consumer, three orders for two units: a crash, a lost tail",
        macros: ["CRASHES=1", "LOSSES=1", "CAP=2"])
    static let reused = Configuration(
        name: "one consumer: a crash, a lost tail whose ids are reused, a command in doubt",
        macros: ["CRASHES=1", "LOSSES=1", "DOUBTS=1", "REUSES=1", "ANY_ORDER"])
    static let reusedRestarted = Configuration(
        name: "three messages: two crashes, a lost tail whose ids are reused, a command in doubt",
        macros: ["CRASHES=2", "LOSSES=1", "DOUBTS=1", "REUSES=1", "ENTRIES=3", "ANY_ORDER"])
    static let reusedUnderWay = Configuration(
        name: "two orders for two units: a crash, a lost tail whose ids are reused, a command on its way",
        macros: [
            "CRASHES=1", "LOSSES=1", "DOUBTS=1", "DOUBTS_END", "REUSES=1", "CAP=2", "ENTRIES=2", "ANY_ORDER",
        ])
    static let wiped = Configuration(
        name: "one consumer: a crash, everything lost, a command in doubt",
        macros: ["CRASHES=1", "WIPES=1", "DOUBTS=1"])
    static let late = Configuration(
        name: "one consumer: a crash, two commands in doubt", macros: ["CRASHES=1", "DOUBTS=2"])
    static let stray = Configuration(
        name: "one consumer: a crash, an entry delivered to a dead connection, a command in doubt",
        macros: ["CRASHES=1", "STRAYS=1", "DOUBTS=1", "ANY_ORDER"])
    static let usurper = Configuration(
        name: "two consumers, one of them wrongly active: a crash",
        macros: ["USURPER=1", "CRASHES=1", "ENTRIES=3", "ANY_ORDER"])
    static let usurperInDoubt = Configuration(
        name: "two consumers, one of them wrongly active: a command in doubt",
        macros: ["USURPER=1", "DOUBTS=1", "ENTRIES=3", "ANY_ORDER"])
    static let shown = Configuration(
        name: "two consumers, one of them wrongly active: what readers are shown",
        macros: ["USURPER=2", "CRASHES=1", "ENTRIES=2", "ANY_ORDER", "SHOWN"])
    static let edited = Configuration(
        name: "one consumer: a crash, an edited counter, a command in doubt",
        macros: ["CRASHES=1", "EDITS=1", "DOUBTS=1"])
    static let restored = Configuration(
        name: "one consumer: two crashes, an older ledger restored, adopted or not", macros: ["CRASHES=2", "BACKUPS=1"])

    static let announced = Configuration(
        name: "announcing: a crash, a lost tail, a command in doubt",
        macros: ["ANNOUNCES", "CRASHES=1", "LOSSES=1", "DOUBTS=1", "ENTRIES=3"])
    static let announcedLate = Configuration(
        name: "announcing: two crashes, two commands in doubt",
        macros: ["ANNOUNCES", "CRASHES=2", "DOUBTS=2", "ENTRIES=3"])
    static let announcedAnew = Configuration(
        name: "announcing: a crash, everything lost, a command in doubt",
        macros: ["ANNOUNCES", "CRASHES=1", "WIPES=1", "DOUBTS=1", "ENTRIES=3"])
    static let announcedByTwo = Configuration(
        name: "announcing: two consumers, one of them wrongly active, a command in doubt",
        macros: ["ANNOUNCES", "USURPER=1", "DOUBTS=1", "ENTRIES=2", "ANY_ORDER"])

    /// A subset of `edited`.
    static let editedDown = Configuration(
        name: "one consumer: a crash, a counter lowered manually", macros: ["CRASHES=1", "EDITS=1", "EDITS_DOWN"])
    static let restoredInDoubt = Configuration(
        name: "one consumer: two crashes, an older ledger restored, a command in doubt",
        macros: ["CRASHES=2", "BACKUPS=1", "DOUBTS=1"])

    static let all = [
        lostTail, threeForTwo, reused, reusedRestarted, reusedUnderWay, wiped, late, stray, usurper, usurperInDoubt,
        shown, edited, restored, restoredInDoubt, announced, announcedLate, announcedAnew, announcedByTwo,
    ]
}

/// Guards that are switched off, and a configuration in which that shows.
struct Omission: Sendable, CustomTestStringConvertible {
    /// One guard, or several that cover for each other.
    var switches: [String]
    var configuration: Configuration
    /// The assertion that the counterexample violates: a part of its text as Spin writes it.
    var violates: String
    /// Each of the switches alone is harmless here.
    var cover = false

    var testDescription: String { "\(switches.joined(separator: " and ")): \(configuration.name)" }

    private static let oversold = "(ledger.sold<="
    private static let refusedThoughItFits = "(ledger.sold+1)>"
    private static let drift = "redis.sold==ledger.sold"
    private static let shownAsAvailable = "redis.sold>=ledger.sold"
    private static let outOfOrder = "redis.last=="
    private static let undecided = "ledger.decision[k]!=0"

    static let all = [
        Omission(switches: ["NO_GATE_EPOCH", "NO_CHAIN"], configuration: .late, violates: drift, cover: true),
        Omission(switches: ["NO_CHAIN"], configuration: .threeForTwo, violates: drift),
        Omission(switches: ["NO_RECORD_EPOCH"], configuration: .usurper, violates: drift),
        Omission(switches: ["NO_RECORD_EPOCH"], configuration: .shown, violates: shownAsAvailable),
        Omission(switches: ["NO_ARBITER"], configuration: .edited, violates: refusedThoughItFits),
        Omission(switches: ["NO_ARBITER"], configuration: .editedDown, violates: oversold),
        Omission(switches: ["NO_INSTALL_LOWER"], configuration: .shown, violates: shownAsAvailable),
        Omission(
            switches: ["NO_INSTALL_SETTLED", "NO_START_SETTLED"], configuration: .restored, violates: "toldYes",
            cover: true),
        Omission(switches: ["NO_ACK_FENCE"], configuration: .restoredInDoubt, violates: undecided),
        Omission(switches: ["NO_READ_CONNECTION"], configuration: .reused, violates: undecided),
        Omission(switches: ["NO_READ_CONNECTED"], configuration: .reusedRestarted, violates: undecided),
        Omission(switches: ["NO_READ_EPOCH"], configuration: .reused, violates: undecided),
        Omission(switches: ["NO_READ_EMPTY"], configuration: .reused, violates: undecided),
        Omission(
            switches: ["NO_ACK_SEQ", "NO_READ_EPOCH"], configuration: .reusedUnderWay, violates: undecided,
            cover: true),
        Omission(switches: ["NO_ANNOUNCE_FENCE"], configuration: .announcedLate, violates: outOfOrder),
        Omission(switches: ["NO_ANNOUNCE_CARRY"], configuration: .announced, violates: outOfOrder),
        Omission(switches: ["NO_ANNOUNCE_INSIDE"], configuration: .announcedLate, violates: outOfOrder),
    ]
    static let covered = all.filter(\.cover).flatMap { omission in
        omission.switches.map { Omission(switches: [$0], configuration: omission.configuration, violates: "") }
    }
}

@Suite("The model of the protocol", .serialized)
struct ModelTests {
    @Test("Whatever happens within its bounds, the protocol holds in every state", arguments: Configuration.all)
    func holds(_ configuration: Configuration) async throws {
        let finding = try await ModelSearch(macros: configuration.macros).run(optimised: true)
        guard case .holds(let states) = finding else {
            Issue.record("\(configuration.name): \(finding)")
            return
        }
        print("\(configuration.name): holds in \(states) states")
        // Far fewer would mean that the model is stuck somewhere.
        #expect(states > 1_000)
    }

    @Test("Every configuration terminates, and the result is checked at the end", arguments: Configuration.all)
    func ends(_ configuration: Configuration) async throws {
        let finding = try await ModelSearch(macros: configuration.macros + ["REACHES_END"]).run(optimised: false)
        #expect(finding.violates("violated 0"), "\(finding)")
    }

    @Test("Leaving out a guard, or two that cover for each other, leads to a wrong result", arguments: Omission.all)
    func eachGuardIsNeeded(_ omission: Omission) async throws {
        let macros = omission.configuration.macros + omission.switches
        let finding = try await ModelSearch(macros: macros).run(optimised: false)
        #expect(finding.violates(omission.violates), "\(finding)")
    }

    @Test("Of two guards that cover for each other, one is enough", arguments: Omission.covered)
    func oneIsEnough(_ omission: Omission) async throws {
        let macros = omission.configuration.macros + omission.switches
        let finding = try await ModelSearch(macros: macros).run(optimised: false)
        guard case .holds = finding else {
            Issue.record("\(omission): \(finding)")
            return
        }
    }

    @Test("An entry delivered to a dead connection may be decided after a later one; nothing else goes wrong")
    func orderAfterAStray() async throws {
        let finding = try await ModelSearch(macros: ["STRAYS=1"]).run(optimised: false)
        #expect(finding.violates("ledger.decision[0]=="), "\(finding)")
    }

    @Test("A search that ended early is not a finding")
    func cutShort() {
        let reports = [
            "error: max search depth too small\nFull statespace search for:\nerrors: 0\n  5 states, stored\n",
            "Search not completed\nFull statespace search for:\nerrors: 0\n5 states, stored",
            "Bit statespace search for:\nerrors: 0\n  5 states, stored\n",
            "pan:1: invalid end state (at depth 7)\nSearch not completed\nFull statespace search for:\nerrors: 1\n",
            "",
        ]
        for report in reports {
            #expect(throws: TestSupportError.self) { try ModelSearch.finding(in: report) }
        }
    }
}

extension ModelSearch.Finding {
    /// Whether the counterexample violates an assertion that contains this text.
    fileprivate func violates(_ text: String) -> Bool {
        if case .violated(let assertion) = self { assertion.contains(text) } else { false }
    }
}
