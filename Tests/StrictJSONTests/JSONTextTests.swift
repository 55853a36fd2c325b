import StrictJSON
import Testing

@Suite("Writing JSON")
struct JSONTextTests {
    @Test(
        "A value is written compactly, with its order, its numbers and only the escapes that must be",
        arguments: [
            (" [ 1.50 , -0 , 1E+2 ] ", "[1.50,-0,1E+2]"),
            (#"{ "b" : null , "a" : [ true , false ] }"#, #"{"b":null,"a":[true,false]}"#),
            (#""\/\u0041\u00e9\ud83d\ude00""#, #""/Aé😀""#),
            (#""\"\\\b\f\n\r\t\u0000\u001f\u007f""#, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}\""),
        ])
    func writing(text: String, written: String) throws {
        #expect(try JSONValue.parse(Array(text.utf8)).text == written)
    }
}
