/// The status of a dead letter. The raw values are public.
package enum DeadLetterStatus: String, Sendable, CaseIterable {
    case open
    /// The consumer must publish it again.
    case replay
    /// It was published again, read, and recorded, whatever the outcome.
    case replayed
    /// Its bytes were removed.
    case discarded
}
