/// Reads a ledger slice by slice, to detect damage that only reading reveals.
///
/// Errors: `LedgerError`; of kind `damaged` if damage was found.
package protocol LedgerInspection: Sendable {
    /// Whether all slices have been read.
    var isDone: Bool { get }
    /// Whether the ledger is so small that `readWhole` takes less than a second.
    var isSmall: Bool { get }

    /// Reads the parts that recording uses: the head, the counters, and the newest rows with their index entries.
    func readHotParts() async throws

    /// Reads the next slice, for about 20 ms. Does nothing if `isDone`.
    mutating func readNext() async throws

    /// Reads everything in one snapshot, including what the slices leave out.
    func readWhole() async throws

    /// Releases the connection. The caller of `inspect` must call this.
    func close()
}
