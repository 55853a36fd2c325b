/// The id of an entry in a Redis stream: two numbers, compared as Redis compares them.
package struct StreamID: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970, by Redis' clock.
    package var milliseconds: UInt64
    package var number: UInt64

    /// Parses an entry id; nil unless it is two numbers separated by a dash.
    package init?(_ id: String) {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let number = UInt64(parts[1]) else { return nil }
        self.milliseconds = milliseconds
        self.number = number
    }

    /// The id as Redis writes it.
    package var text: String { "\(milliseconds)-\(number)" }

    /// The lowest id above this one.
    package var next: StreamID {
        var next = self
        next.number &+= 1
        if next.number == 0 { next.milliseconds &+= 1 }
        return next
    }

    package static func < (left: StreamID, right: StreamID) -> Bool {
        (left.milliseconds, left.number) < (right.milliseconds, right.number)
    }

    /// The time at which Redis received the message, as text.
    package var time: String {
        Timestamp.text(seconds: Int(clamping: milliseconds / 1_000), milliseconds: Int(milliseconds % 1_000))
    }
}
