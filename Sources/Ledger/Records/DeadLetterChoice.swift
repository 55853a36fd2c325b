/// Selects the dead letters of an operator's request.
package enum DeadLetterChoice: Sendable {
    /// By the numbers that the list shows; duplicates count once.
    case numbers([Int64])
    /// All open dead letters with this reason.
    case reason(String)
}
