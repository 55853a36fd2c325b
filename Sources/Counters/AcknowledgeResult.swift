/// The result of an acknowledgement.
package enum AcknowledgeResult: Sendable, Equatable {
    case acknowledged(AcknowledgeReport)
    /// The counters belong to another ledger or another epoch, are behind the ledger, or were deleted; nothing was
    /// done.
    case fenced
}
