/// A violation or a warning about one place in a catalogue file.
package struct CatalogueIssue: Sendable, Equatable, CustomStringConvertible {
    /// For example `products[3].variants[0].max_quantity`, or `line 12, column 5` if the file is not JSON.
    package var path: String
    /// The value at that path, shortened, or nil if there is none.
    package var value: String?
    /// The problem and its correction. If there is a value, the message follows "is VALUE;".
    package var message: String

    package init(_ path: String, value: String? = nil, _ message: String) {
        self.path = path
        self.value = value
        self.message = message
    }

    package var description: String {
        if let value { "\(path): is \(value); \(message)" } else { "\(path): \(message)" }
    }
}
