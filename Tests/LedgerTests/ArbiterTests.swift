import Domain
import Ledger
import LedgerSamples
import Testing

private let cube = CounterName.product("cube")
private let black = CounterName.variant("black")
private let kit = CounterName.product("kit")

@Suite("The ledger as the arbiter")
struct ArbiterTests {
    /// A decision that the gate is said to have made about an order, and the ledger's own decision.
    struct Claim: Sendable, CustomTestStringConvertible {
        var name: String
        var lines: [(product: Identifier, variant: Identifier?, units: Int64)]
        var gate: Decision
        var ledger: Decision

        var testDescription: String { name }
    }

    private static let claims = [
        Claim(
            name: "accepted, though it does not fit", lines: [("kit", nil, 4)], gate: .accepted(seq: 1),
            ledger: refused(kit, asked: 4, left: 3)),
        Claim(
            name: "accepted, though the variant does not fit", lines: [("cube", "black", 7)], gate: .accepted(seq: 1),
            ledger: refused(black, asked: 7, left: 6)),
        Claim(
            name: "accepted, though it does not fit as a sum", lines: [("cube", "black", 6), ("cube", "white", 5)],
            gate: .accepted(seq: 1), ledger: refused(cube, asked: 11, left: 10)),
        Claim(
            name: "refused, though it fits", lines: [("kit", nil, 3)], gate: refused(kit, asked: 3, left: 2),
            ledger: .accepted(seq: 1)),
        Claim(
            name: "sold out, though unlimited", lines: [("sheet", nil, 1)],
            gate: refused(.product("sheet"), asked: 1, left: 0), ledger: .accepted(seq: 1)),
        Claim(
            name: "refused with another number of units left", lines: [("kit", nil, 4)],
            gate: refused(kit, asked: 4, left: 2), ledger: refused(kit, asked: 4, left: 3)),
        Claim(
            name: "refused with another number of units asked", lines: [("kit", nil, 4)],
            gate: refused(kit, asked: 5, left: 3), ledger: refused(kit, asked: 4, left: 3)),
        Claim(
            name: "refused for another counter", lines: [("cube", "black", 11)],
            gate: refused(black, asked: 11, left: 6), ledger: refused(cube, asked: 11, left: 10)),
        Claim(name: "a seq is left out", lines: [("kit", nil, 1)], gate: .accepted(seq: 2), ledger: .accepted(seq: 1)),
        Claim(name: "a seq comes twice", lines: [("kit", nil, 1)], gate: .accepted(seq: 0), ledger: .accepted(seq: 1)),
    ]

    @Test(
        "disagrees with a gate whose counters are wrong, and records nothing of the batch", arguments: Backend.allCases,
        claims)
    func disagrees(_ backend: Backend, _ claim: Claim) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            let answer = try await fixture.record(
                deadLetter("1-0"), order("o", claim.lines, claim.gate),
                order("later", [("sheet", nil, 1)], .accepted(seq: 2)))
            #expect(answer == .disagreed(.command(.order("o"), gate: claim.gate, ledger: claim.ledger)))
            #expect(try await fixture.everything() == before)
        }
    }

    @Test(
        "checks each order against earlier ones of the batch, not only against recorded ones",
        arguments: Backend.allCases)
    func runningFigures(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let before = try await fixture.everything()
            let answer = try await fixture.record(
                order("o1", [("kit", nil, 2)], .accepted(seq: 1)), order("o2", [("kit", nil, 2)], .accepted(seq: 2)))
            let shortage = refused(kit, asked: 2, left: 1)
            #expect(answer == .disagreed(.command(.order("o2"), gate: .accepted(seq: 2), ledger: shortage)))
            #expect(try await fixture.everything() == before)
        }
    }

    @Test("applies the current caps: a lowered one leaves 0", arguments: Backend.allCases)
    func loweredCap(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            try await fixture.record(order("o1", [("kit", nil, 3)], .accepted(seq: 1)))
            var catalogue = Catalogue.sample
            catalogue.products[2].cap = 1
            _ = try await fixture.ledger.sync(catalogue)
            let answer = try await fixture.record(order("o2", [("kit", nil, 1)], refused(kit, asked: 1, left: 0)))
            #expect(answer == .recorded(position: 4))
        }
    }

    @Test("lets an unlimited product be sold up to 2^53 − 1", arguments: Backend.allCases)
    func exactLimit(_ backend: Backend) async throws {
        try await withLedger(on: backend) { fixture async throws in
            let sheet = CounterName.product("sheet")
            try fixture.set(sheet, sold: Limit.exactInteger - 1)
            let answer = try await fixture.record(
                order("o1", [("sheet", nil, 2)], refused(sheet, asked: 2, left: 1)),
                order("o2", [("sheet", nil, 1)], .accepted(seq: 1)))
            #expect(answer == .recorded(position: 3))
            #expect(try await fixture.sold()[sheet] == Limit.exactInteger)
        }
    }

    /// The state that the batch was decided with, against epoch 1, catalogue 1, seq 1.
    private static let outdated: [(epoch: Int64, catalogue: Int64, seq: Int64)] = [
        (0, 1, 1), (2, 1, 1), (1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2),
    ]

    @Test("records nothing that was decided at another epoch, catalogue or seq", arguments: Backend.allCases, outdated)
    func fromAnotherState(_ backend: Backend, _ decided: (epoch: Int64, catalogue: Int64, seq: Int64)) async throws {
        try await withLedger(on: backend) { fixture async throws in
            _ = try await fixture.ledger.raiseEpoch()
            try await fixture.record(order("first", [("kit", nil, 1)], .accepted(seq: 1)))
            let before = try await fixture.everything()
            let batch = JournalBatch(
                epoch: decided.epoch, catalogueVersion: decided.catalogue, seqBefore: decided.seq,
                records: [
                    deadLetter("1-0"), order("o", [("kit", nil, 1)], .accepted(seq: decided.seq + 1)),
                ], attemptsOver: [])
            let answer = try await fixture.ledger.record(batch)
            #expect(answer == .outdated(LedgerHead(epoch: 1, seq: 1, position: 2, catalogueVersion: 1)))
            #expect(try await fixture.everything() == before)
        }
    }
}
