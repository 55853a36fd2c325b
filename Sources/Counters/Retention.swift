/// Defines which processed messages and outcomes are kept in their streams.
package struct Retention: Sendable, Equatable {
    /// How long a message is kept, by its id and Redis' clock.
    package var age: Duration
    /// Messages with lower ids are older than `age`, whatever their ids say; nil if no id is known.
    package var olderThan: String?
    /// Approximately how many messages are kept, whatever their age.
    package var messages: Int
    /// Approximately how many messages may be dropped in one call.
    package var limit: Int
    /// Approximately how many outcomes are kept; nil keeps all.
    package var outcomes: Int?

    /// The usual `limit`. Redis serves no other client while it drops messages: about 20 ms for this number.
    package static let ordinaryLimit = 100_000

    package init(
        age: Duration, olderThan: String? = nil, messages: Int, limit: Int = ordinaryLimit, outcomes: Int? = nil
    ) {
        self.age = age
        self.olderThan = olderThan
        self.messages = messages
        self.limit = limit
        self.outcomes = outcomes
    }
}
