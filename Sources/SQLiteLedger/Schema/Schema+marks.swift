/// Finds the journal's rows by seq. There is no full index of seqs, because seq grows with the position.
extension Schema {
    /// The condition for the rows in the partial index of seqs.
    static let isMark = "seq % 1024 = 0"

    /// Returns an SQL expression for a position before all rows with a higher seq.
    static func position(before seq: String) -> String {
        """
        coalesce((SELECT position FROM journal WHERE \(isMark) AND seq <= \(seq) ORDER BY seq DESC LIMIT 1), 0)
        """
    }

    /// Returns an SQL expression for a position that is not before any row with this seq or a lower one.
    static func position(reaching seq: String) -> String {
        """
        coalesce(
            (SELECT position FROM journal WHERE \(isMark) AND seq >= \(seq) ORDER BY seq LIMIT 1),
            (SELECT position FROM ledger WHERE id = 1)
        )
        """
    }
}
