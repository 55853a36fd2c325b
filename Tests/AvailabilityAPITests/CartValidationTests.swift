import Domain
import Testing

@testable import AvailabilityAPI

/// The results for a cart's lines, case by case.
@Suite struct CartValidationTests {
    typealias Line = CartValidation.Line
    typealias Reason = CartValidation.Reason

    /// cube: 4 of 10 left, black 1 of 6, red unlimited, white sold out. lamp: sold out. sheet: unlimited. gone: closed.
    /// pair: 5 left, but both of its variants sold out.
    private static let products: [Identifier: Availability] = [
        "cube": availability(
            "cube", (6, 10, true), [("black", (5, 6, true)), ("red", (0, nil, true)), ("white", (1, 1, true))]),
        "lamp": availability("lamp", (3, 3, true), []),
        "sheet": availability("sheet", (9, nil, true), []),
        "gone": availability("gone", (3, 3, false), []),
        "pair": availability("pair", (5, 10, true), [("left", (3, 3, true)), ("right", (2, 2, true))]),
        "plain": availability("plain", (5, 10, true), [("former", (3, 9, false))]),
        "half": availability("half", (0, 10, true), [("on", (0, 5, true)), ("off", (0, 5, false))]),
    ]

    private static func availability(
        _ id: Identifier, _ own: (sold: Int64, cap: Int64?, isActive: Bool),
        _ variants: [(Identifier, (sold: Int64, cap: Int64?, isActive: Bool))]
    ) -> Availability {
        func state(_ availability: (sold: Int64, cap: Int64?, isActive: Bool)) -> CounterState {
            CounterState(sold: availability.sold, cap: availability.cap, isActive: availability.isActive)
        }
        return Availability(
            product: (id, "n", state(own)), variants: variants.map { ($0.0, "n", state($0.1)) })
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var lines: [Line]
        var reasons: [[Reason]]
        var available: [Int64?]

        init(
            _ description: String, _ lines: [(Identifier, Identifier?, Int64)], _ verdicts: [([Reason], Int64?)]
        ) {
            testDescription = description
            self.lines = lines.map { Line(productID: $0.0, variantID: $0.1, units: $0.2) }
            reasons = verdicts.map(\.0)
            available = verdicts.map(\.1)
        }
    }

    static let cases = [
        Case(
            "all of it fits", [("cube", "black", 1), ("cube", "red", 3), ("sheet", nil, 1_000_000)],
            [([], 1), ([], 4), ([], nil)]),
        Case("one unit more than the variant has", [("cube", "black", 2)], [([.onlyNLeft], 1)]),
        Case(
            "lines of one variant are summed", [("cube", "black", 1), ("cube", "black", 1)],
            [([.onlyNLeft], 1), ([.onlyNLeft], 1)]),
        Case(
            "every line of an over-asked product is not ok",
            [("cube", "black", 1), ("cube", "red", 4), ("sheet", nil, 1)],
            [([.onlyNLeft], 1), ([.onlyNLeft], 4), ([], nil)]),
        Case("an unlimited variant is bounded by its product", [("cube", "red", 5)], [([.onlyNLeft], 4)]),
        Case("a variant is sold out, its product is not", [("cube", "white", 1)], [([.soldOut], 0)]),
        Case(
            "sold out stays sold out in an over-asked product", [("cube", "white", 1), ("cube", "red", 4)],
            [([.soldOut], 0), ([.onlyNLeft], 4)]),
        Case(
            "a line that names another product's variant asks nothing of it",
            [("cube", "left", 9), ("sheet", "black", 9), ("cube", "black", 1)],
            [([.unknown], nil), ([.unknown], nil), ([.onlyNLeft], 1)]),
        Case(
            "a line of another product asks nothing of a variant", [("sheet", "black", 9), ("cube", "black", 1)],
            [([.unknown], nil), ([], 1)]),
        Case("a product is sold out", [("lamp", nil, 1)], [([.soldOut], 0)]),
        Case(
            "unknown product, unknown variant, another product's variant, a variant of none",
            [("nix", nil, 1), ("cube", "nix", 1), ("cube", "left", 1), ("sheet", "black", 1)],
            [([.unknown], nil), ([.unknown], nil), ([.unknown], nil), ([.unknown], nil)]),
        Case("closed and sold out at once", [("gone", nil, 1)], [([.closed, .soldOut], 0)]),
        Case(
            "a closed variant of an open product", [("half", "off", 1), ("half", "on", 1)], [([.closed], 5), ([], 5)]),
        Case(
            "a product that has lost its variants is sold without", [("plain", nil, 5), ("plain", "former", 1)],
            [([.onlyNLeft], 5), ([.closed, .onlyNLeft], 5)]),
        Case("a variant has to be named", [("cube", nil, 1)], [([.variantRequired], 4)]),
        Case(
            "a variant has to be named, and too much is asked", [("cube", nil, 5)],
            [([.variantRequired, .onlyNLeft], 4)]),
        Case(
            "a variant has to be named, and none has any left", [("pair", nil, 1)], [([.variantRequired, .soldOut], 5)]),
        Case(
            "what cannot be sold counts as asked, as in an order", [("cube", nil, 3), ("cube", "red", 2)],
            [([.variantRequired, .onlyNLeft], 4), ([.onlyNLeft], 4)]),
    ]

    @Test("Each line lists all reasons at once", arguments: cases)
    func verdicts(_ example: Case) {
        let verdicts = CartValidation.verdicts(example.lines) { Self.products[$0] }
        #expect(verdicts.map(\.reasons) == example.reasons)
        #expect(verdicts.map(\.available) == example.available)
    }

    @Test("Sums of 2,000 largest quantities do not overflow")
    func sums() {
        let lines = [Line](repeating: Line(productID: "lamp", variantID: nil, units: 1_000_000), count: 2_000)
        #expect(CartValidation.verdicts(lines) { Self.products[$0] }.allSatisfy { $0.reasons == [.soldOut] })
    }

    // MARK: - The body

    private func violations(_ body: String) -> [String] {
        do {
            _ = try CartReader.lines(Array(body.utf8))
            return []
        } catch let problem as Problem {
            guard case .array(let violations) = problem.members["violations"] else { return [problem.detail] }
            return violations.compactMap { violation in
                guard case .object(let object) = violation, case .string(let path) = object["path"] else { return nil }
                return path
            }
        } catch {
            return ["\(error)"]
        }
    }

    @Test("A body is read as intended, and everything beyond it ignored")
    func body() throws {
        let body = """
            {"coupon": 1, "items": [{"product_id": "a/b", "variant_id": null, "quantity": 1, "note": []},
             {"quantity": 1000000, "product_id": "ä", "variant_id": "v"}]}
            """
        #expect(
            try CartReader.lines(Array(body.utf8)) == [
                Line(productID: "a/b", variantID: nil, units: 1),
                Line(productID: "ä", variantID: "v", units: 1_000_000),
            ])
    }

    @Test("Every violation is reported with its path")
    func violationsOfABody() {
        #expect(violations(#"{"items": []}"#) == ["items"])
        #expect(violations(#"{"items": {}}"#) == ["items"])
        #expect(violations(#"{}"#) == ["items"])
        #expect(violations("{\"items\": [\(Array(repeating: "1", count: 2_001).joined(separator: ","))]}") == ["items"])
        #expect(
            violations(
                #"{"items": [7, {"quantity": 0}, {"product_id": "", "quantity": 1.0}, {"product_id": 1, "variant_id": 2, "quantity": 1000001}, {"product_id": "a", "variant_id": "\u0007", "quantity": "1"}]}"#
            ) == [
                "items[0]", "items[1].product_id", "items[1].quantity", "items[2].product_id", "items[2].quantity",
                "items[3].product_id", "items[3].variant_id", "items[3].quantity", "items[4].variant_id",
                "items[4].quantity",
            ])
        for noObject in ["", "[", "[]", "1", #"{"items": [], "items": []}"#, "{\"items\": []} x"] {
            #expect(violations(noObject).count == 1, "\(noObject)")
        }
    }
}
