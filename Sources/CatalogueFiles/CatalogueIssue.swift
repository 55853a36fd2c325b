/// One thing that is wrong, or looks wrong, in a catalogue file.
package struct CatalogueIssue: Sendable, Equatable, CustomStringConvertible {
    /// `products[3].variants[0].max_quantity`; `line 12, column 5` if the file is not JSON.
    package var path: String
    /// The value there, shortened; nil if there is none.
    package var value: String?
    /// What is wrong and what to write instead; reads after "is VALUE;" if there is a value.
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
