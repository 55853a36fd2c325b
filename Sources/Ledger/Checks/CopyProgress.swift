/// The progress of a copy.
package enum CopyProgress: Sendable {
    case copying(done: Int64, of: Int64)
    /// The complete copy is being read back.
    case checking
}
