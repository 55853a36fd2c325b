/// The result of an operator's request about dead letters.
package enum ResolveResult: Sendable, Equatable {
    /// This many dead letters were changed; `already` counts those that had the status before.
    case done(changed: Int, already: Int)
    /// There are no dead letters with these numbers; nothing was changed.
    case unknown([Int64])
    /// The status of these dead letters does not allow the request; nothing was changed.
    case refused([(number: Int64, status: DeadLetterStatus)])
    /// These dead letters were not stored completely, so they cannot be published again; nothing was changed.
    case incomplete([Int64])

    package static func == (left: ResolveResult, right: ResolveResult) -> Bool {
        switch (left, right) {
        case (.done(let a, let b), .done(let c, let d)): (a, b) == (c, d)
        case (.unknown(let a), .unknown(let b)): a == b
        case (.refused(let a), .refused(let b)): a.elementsEqual(b, by: ==)
        case (.incomplete(let a), .incomplete(let b)): a == b
        default: false
        }
    }
}
