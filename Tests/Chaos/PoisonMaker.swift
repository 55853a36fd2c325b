import Randomness

/// Messages that can never be processed, each with the reason that must be recorded. All are different.
enum PoisonMaker {
    static func message(number: String, using generator: inout SeededGenerator) -> Message {
        // The last one is large, so it is chosen less often.
        let count = payloads.count + frames.count - (generator.chance(25) ? 0 : 1)
        let choice = Int.random(in: 0..<count, using: &generator)
        if choice >= payloads.count { return frames[choice - payloads.count](number) }
        return poison(payloads[choice].reason, payloads[choice].payload(number))
    }

    private static func poison(_ reason: String, _ payload: String) -> Message {
        Message(.poison(reason: reason), kind: "poison", type: "checkout.completed", payload: payload)
    }

    private static func poison(_ reason: String, fields: [[UInt8]]) -> Message {
        Message(.poison(reason: reason), kind: "poison", fields: fields)
    }

    private static let lamp = #"{"product_id": "LAMP", "quantity": 1, "unit_price": 100}"#
    private static let person =
        #""customer": {"name": "\#(MessageMaker.canary)", "email": "\#(MessageMaker.canary)@x.org"}"#

    private static func order(_ id: String, _ items: String) -> String {
        #"{"order_id": "\#(id)", \#(person), "items": [\#(items)]}"#
    }

    private static func lamp(_ id: String, units: String) -> String {
        order(id, #"{"product_id": "LAMP", "quantity": \#(units), "unit_price": 100}"#)
    }

    private static let payloads: [(reason: String, payload: @Sendable (String) -> String)] = [
        ("invalid_json", { #"{"order_id": "\#($0)", \#(person), "items": ["# }),
        ("invalid_json", { #"{"order_id": "\#($0)", "order_id": "\#($0)", "items": [\#(lamp)]}"# }),
        ("invalid_json", { lamp($0, units: "NaN") }),
        ("invalid_json", { order($0, String(repeating: "[", count: 200) + String(repeating: "]", count: 200)) }),
        ("wrong_type", { #"["\#($0)"]"# }),
        ("wrong_type", { lamp($0, units: "1.5") }),
        ("wrong_type", { lamp($0, units: "\"1\"") }),
        ("invalid_value", { lamp($0, units: "9007199254740993") }),
        ("invalid_value", { lamp($0, units: "0") }),
        ("invalid_value", { lamp($0, units: "-1") }),
        ("invalid_value", { order($0, "") }),
        ("invalid_value", { order(#"\u0000\#($0)"#, lamp) }),
        ("invalid_value", { order(String(repeating: "x", count: 256) + $0, lamp) }),
        ("missing_field", { #"{\#(person), "note": "\#($0)", "items": [\#(lamp)]}"# }),
        ("missing_field", { order($0, #"{"quantity": 1, "unit_price": 100}"#) }),
        ("too_many_items", { order($0, Array(repeating: lamp, count: 2_001).joined(separator: ", ")) }),
    ]

    private static let frames: [@Sendable (String) -> Message] = [
        { poison("missing_type", fields: [Array("payload".utf8), Array(order($0, lamp).utf8)]) },
        { poison("missing_payload", fields: ["type", "checkout.completed", "note", $0].map { Array($0.utf8) }) },
        { poison("unknown_type", fields: ["type", "order.lost", "payload", order($0, lamp)].map { Array($0.utf8) }) },
        { id in
            poison(
                "invalid_utf8",
                fields: ["type", "checkout.completed", "payload"].map { Array($0.utf8) }
                    + [Array(#"{"order_id": "\#(id)"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)])
        },
        { id in
            poison(
                "payload_too_large",
                fields: ["type", "checkout.completed", "payload", id + String(repeating: " ", count: 1 << 20)]
                    .map { Array($0.utf8) })
        },
    ]
}
