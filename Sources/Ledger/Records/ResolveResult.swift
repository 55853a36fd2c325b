/// Which dead letters an operator means.
package enum DeadLetterChoice: Sendable {
    /// By the numbers that the list shows; one given twice counts once.
    case numbers([Int64])
    /// Every open one with this reason.
    case reason(String)
}

/// The result of an operator's request about dead letters.
package enum ResolveResult: Sendable, Equatable {
    /// Done: this many were changed; the others already had the status.
    case done(changed: Int, already: Int)
    /// There are no dead letters with these numbers; nothing was changed.
    case unknown([Int64])
    /// These are in a state that does not allow it; nothing was changed.
    case refused([(number: Int64, status: DeadLetterStatus)])
    /// These were not kept completely, so they cannot be published again; nothing was changed.
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
