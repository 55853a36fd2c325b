import Ledger

extension EntryIdentity {
    /// The identity as a note to leave with the lease.
    var note: String { entryID + " " + fingerprint.map { String($0) }.joined(separator: ",") }

    init?(note: String) {
        let parts = note.split(separator: " ")
        guard parts.count == 2 else { return nil }
        self.init(entryID: String(parts[0]), fingerprint: parts[1].split(separator: ",").compactMap { UInt8($0) })
    }
}
