/// Reads a ledger for damage that shows only where it is read, slice by slice. Errors: `LedgerError` of kind `damaged`.
package protocol LedgerInspection: Sendable {
    var isDone: Bool { get }
    /// Whether reading all of it takes less than a second.
    var isSmall: Bool { get }

    /// Reads what recording uses.
    func readHotParts() async throws

    /// Reads the next slice: some milliseconds.
    mutating func readNext() async throws

    /// Reads everything at one moment, including what slices leave out.
    func readWhole() async throws

    func close()
}
