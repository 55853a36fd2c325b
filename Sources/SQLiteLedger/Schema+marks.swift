/// How the journal's rows are found by their seq, which has no index: it grows with the position.
extension Schema {
    /// The condition for rows that stand in the index of some.
    static let isMark = "seq % 1024 = 0"

    /// A position that is before all rows with a higher seq, as an expression.
    static func position(before seq: String) -> String {
        """
        coalesce((SELECT position FROM journal WHERE \(isMark) AND seq <= \(seq) ORDER BY seq DESC LIMIT 1), 0)
        """
    }

    /// A position that is not before any row with this seq or a lower one, as an expression.
    static func position(reaching seq: String) -> String {
        """
        coalesce(
            (SELECT position FROM journal WHERE \(isMark) AND seq >= \(seq) ORDER BY seq LIMIT 1),
            (SELECT position FROM ledger WHERE id = 1)
        )
        """
    }
}
