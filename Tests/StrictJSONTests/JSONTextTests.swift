import StrictJSON
import Testing

@Suite("Writing JSON")
struct JSONTextTests {
    @Test(
        "A value is written compactly, with its order, its numbers and only the necessary escapes",
        arguments: [
            (" [ 1.50 , -0 , 1E+2 ] ", "[1.50,-0,1E+2]"),
            (#"{ "b" : null , "a" : [ true , false ] }"#, #"{"b":null,"a":[true,false]}"#),
            (#""\/\u0041\u00e9\ud83d\ude00""#, #""/Aé😀""#),
            (#""\"\\\b\f\n\r\t\u0000\u001f\u007f""#, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\u{7F}\""),
        ])
    func writing(text: String, written: String) throws {
        #expect(try JSONValue.parse(Array(text.utf8)).text == written)
    }

    @Test(
        "Thousandths are written with three decimal places",
        arguments: [
            (0, "0.000"), (7, "0.007"), (-45, "-0.045"), (90_500, "90.500"), (.max, "9223372036854775.807"),
            (.min, "-9223372036854775.808"),
        ] as [(Int64, String)])
    func thousandths(number: Int64, written: String) {
        #expect(JSONNumber(thousandths: number).text == written)
    }
}
