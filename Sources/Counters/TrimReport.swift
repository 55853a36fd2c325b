/// The numbers of messages and outcomes that a trim dropped, and the stream's state at that time.
package struct TrimReport: Sendable, Equatable {
    /// Messages that were dropped because of their age.
    package var aged: Int64
    /// Messages that were dropped although they were not old, because there were too many.
    package var excess: Int64
    package var outcomes: Int64
    /// Redis' clock, in milliseconds since 1970.
    package var time: Int64
    /// The id of the last message that was delivered.
    package var lastDelivered: String
    /// Messages with lower ids are acknowledged.
    package var acknowledged: String

    package init(
        aged: Int64, excess: Int64, outcomes: Int64, time: Int64, lastDelivered: String, acknowledged: String
    ) {
        self.aged = aged
        self.excess = excess
        self.outcomes = outcomes
        self.time = time
        self.lastDelivered = lastDelivered
        self.acknowledged = acknowledged
    }

    package var messages: Int64 { aged + excess }
}
