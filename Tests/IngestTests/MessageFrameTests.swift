import Foundation
import Ingest
import Domain
import Testing

@Suite("Frames of newline-delimited JSON")
struct MessageFrameTests {
    @Test(
        "A frame yields the type and the payload's bytes unchanged",
        arguments: [
            (#"{"type":"a","payload":{}}"#, "a", "{}"),
            (#" { "payload" : { "x" : [1.50, "}"] } , "more" : [] , "type" : "" } "#, "", #"{ "x" : [1.50, "}"] }"#),
            (#"{"\u0074ype":"\u0061\n","payload":{"type":1,"payload":2}}"#, "a\n", #"{"type":1,"payload":2}"#),
            (#"{"type":"é","payload":{"é":"e\u0301"}}"#, "é", #"{"é":"e\u0301"}"#),
        ])
    func frames(line: String, type: String, payload: String) throws {
        let bytes = Array(line.utf8)
        let frame = try MessageFrame.parse(bytes)
        #expect(frame.type == type)
        #expect(bytes[frame.payload].elementsEqual(payload.utf8))
    }

    @Test(
        "The fault of an invalid line is reported",
        arguments: [
            ("", .invalidJSON, "column 1: expected a value, found the end"),
            (#"{"type":"a","payload":{"é":01}}"#, .invalidJSON, "column 28: a number must not have leading zeros"),
            (#"{"type":"a","payload":{}} {}"#, .invalidJSON, "column 27: expected nothing more, found {"),
            (#"{"type":"a","type":"b","payload":{}}"#, .invalidJSON, "column 13: the object has this key already"),
            (#"{"payload":[]"#, .invalidJSON, "column 14: expected a comma or }, found the end"),
            ("[]", .wrongType, "the line: must be an object, is an array"),
            ("null", .wrongType, "the line: must be an object, is null"),
            (#"{"payload":{}}"#, .missingType, "type: missing"),
            (#"{"type":null,"payload":{}}"#, .wrongType, "type: must be a string, is null"),
            (#"{"type":{},"payload":{}}"#, .wrongType, "type: must be a string, is an object"),
            (#"{"type":"a"}"#, .missingPayload, "payload: missing"),
            (#"{"type":"a","payload":null}"#, .wrongType, "payload: must be an object, is null"),
            (#"{"type":"a","payload":"{}"}"#, .wrongType, "payload: must be an object, is a string"),
        ] as [(String, DeadLetterReason, String)])
    func refusals(line: String, reason: DeadLetterReason, detail: String) {
        let invalid = #expect(throws: InvalidMessage.self) { try MessageFrame.parse(Array(line.utf8)) }
        #expect(invalid == InvalidMessage(reason, detail))
    }

    @Test("Invalid UTF-8 is reported")
    func invalidUTF8() {
        let invalid = #expect(throws: InvalidMessage.self) { try MessageFrame.parse(Array("{\"é".utf8) + [0xFF]) }
        #expect(invalid == InvalidMessage(.invalidUTF8, "column 4: the bytes are not UTF-8"))
    }

    @Test("A payload may have exactly as many bytes as the consumer accepts")
    func sizes() throws {
        func line(_ bytes: Int) -> [UInt8] {
            Array(#"{"type":"a","payload":{"x":"\#(String(repeating: "x", count: bytes - 8))"}}"#.utf8)
        }
        #expect(try MessageFrame.parse(line(Limit.payloadBytes)).payload.count == Limit.payloadBytes)
        let invalid = #expect(throws: InvalidMessage.self) { try MessageFrame.parse(line(Limit.payloadBytes + 1)) }
        #expect(invalid?.reason == .payloadTooLarge)
    }
}
