import Domain

/// The result of an installation.
package enum InstallResult: Sendable, Equatable {
    /// The counters of the new epoch are in use.
    /// - Parameter announced: the position in the journal up to which everything is announced.
    case installed(announced: Int64)
    /// Nothing was changed.
    case refused(LedgerObjection)
}
