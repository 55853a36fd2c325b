import StrictJSON

/// What a catalogue file (`config/products.json`) says: a catalogue, or everything that is wrong with it, at once.
///
/// The rules need nothing but the file. Whether a variant has moved to another product only the ledger knows.
package enum CatalogFile: Sendable, Equatable {
    case valid(Catalog, warnings: [CatalogIssue])
    case invalid(violations: [CatalogIssue], warnings: [CatalogIssue])

    /// Violations and warnings are in the order of the file's objects. A file that is no JSON is one violation.
    package static func decode(_ bytes: [UInt8]) -> CatalogFile {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            let issue = CatalogIssue("line \(error.line), column \(error.column)", error.message)
            return .invalid(violations: [issue], warnings: [])
        }
        var reader = CatalogReader()
        let catalog = reader.catalog(value)
        guard reader.violations.isEmpty else {
            return .invalid(violations: reader.violations, warnings: reader.warnings)
        }
        return .valid(catalog, warnings: reader.warnings)
    }
}
