import Domain
import StrictJSON

/// The content of a catalogue file (`config/products.json`): either a catalogue, or all its violations at once.
///
/// The rules depend only on the file. Only the ledger knows whether a variant has moved to another product.
package enum CatalogueFile: Sendable, Equatable {
    case valid(Catalogue, warnings: [CatalogueIssue])
    case invalid(violations: [CatalogueIssue], warnings: [CatalogueIssue])

    /// Decodes a file. Violations and warnings are in the order of the file's objects; a file that is not JSON is one
    /// violation.
    package static func decode(_ bytes: [UInt8]) -> CatalogueFile {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            let issue = CatalogueIssue("line \(error.line), column \(error.column)", error.message)
            return .invalid(violations: [issue], warnings: [])
        }
        var reader = CatalogueReader()
        let catalogue = reader.catalogue(value)
        guard reader.violations.isEmpty else {
            return .invalid(violations: reader.violations, warnings: reader.warnings)
        }
        return .valid(catalogue, warnings: reader.warnings)
    }
}
