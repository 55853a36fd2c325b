/// The six kinds of JSON value; the raw values are used in messages.
package enum JSONKind: String, Sendable {
    case null = "null"
    case bool = "a boolean"
    case number = "a number"
    case string = "a string"
    case array = "an array"
    case object = "an object"
}
