/// The part of an acknowledgement that took effect in Redis.
package struct AcknowledgeReport: Sendable, Equatable {
    package var acknowledged: Int64 = 0
    /// The position in the journal up to which everything is announced, or nil if Redis does not know.
    package var announced: Int64?
    /// The error with which Redis refused to announce a row, or nil if it refused none.
    package var refusal: String?
    /// The number of repeated outcomes that were not announced, because Redis refused the first of them.
    package var unrepeated: Int64 = 0
    /// The number of changes that Redis refused to publish.
    package var unpublished: Int64 = 0

    package init(
        acknowledged: Int64 = 0, announced: Int64? = nil, refusal: String? = nil, unrepeated: Int64 = 0,
        unpublished: Int64 = 0
    ) {
        self.acknowledged = acknowledged
        self.announced = announced
        self.refusal = refusal
        self.unrepeated = unrepeated
        self.unpublished = unpublished
    }

    /// Adds the report of the next slice.
    package mutating func add(_ next: AcknowledgeReport) {
        acknowledged += next.acknowledged
        announced = next.announced
        refusal = refusal ?? next.refusal
        unrepeated += next.unrepeated
        unpublished += next.unpublished
    }
}
