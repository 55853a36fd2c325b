import Testing

extension Shop {
    /// The outcomes in the ledger's journal that must be announced, by position, each as its fields.
    func recordedOutcomes() throws -> [[String: String]] {
        let names = ["epoch", "position", "outcome", "reason", "seq", "units", "decided_at"]
        return try query(
            """
            SELECT epoch, position, outcome, coalesce(reason, ''), coalesce(seq, ''), coalesce(units, ''), decided_at
            FROM journal WHERE kind != 'catalogue' ORDER BY position
            """
        ).map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
    }

    /// Checks that every recorded outcome is announced as recorded: the stream has all rows of the journal, in the
    /// order of their positions.
    func expectAnnounced(_ location: SourceLocation = #_sourceLocation) async throws {
        let announced = try await outcomes()
        var rest = announced[...]
        for row in try recordedOutcomes() {
            guard let place = rest.firstIndex(where: { outcome in row.allSatisfy { outcome[$0] == $1 } }) else {
                let found = announced.map { "\($0["epoch"] ?? "")/\($0["position"] ?? "")" }
                Issue.record("\(row) is not announced, or not in order: \(found)", sourceLocation: location)
                return
            }
            rest = rest[(place + 1)...]
        }
    }
}
