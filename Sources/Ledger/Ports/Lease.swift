/// The right to be the active consumer of a store. This process holds it until it releases the last reference or ends,
/// even by a crash.
package protocol Lease: AnyObject, Sendable {
    /// The note that the previous holder left.
    var previousNote: String { get }
    var previousSoundness: LedgerSoundness? { get }

    /// Replaces the note for the next holder. The note survives a crash of the process, but not necessarily of the
    /// machine.
    /// - Parameter text: one line; an empty text removes the note.
    func note(_ text: String) async

    /// Publishes a finding about the ledger's soundness, or removes the published finding if it is `nil`.
    func note(_ soundness: LedgerSoundness?) async
}
