/// The settings of a run; everything random is derived from `seed`.
///
/// A seed reproduces the same messages and the same faults in the same order. It does not reproduce their times: those
/// depend on the machine's speed, so two runs of one seed are similar, not identical.
package struct ChaosSettings: Sendable {
    /// How long faults occur. The time after that, until everything is done, has a separate limit (`quietLimit`).
    package var duration = Duration.seconds(60)
    package var seed: UInt64
    /// Also writes the history to standard error during the run.
    package var isVerbose = false
    /// Keeps ledger, logs and history even if the run passes.
    package var keepsFolder = false
    /// Kinds of faults to leave out, by their names in the report; `cancellations` leaves out cancellations,
    /// adjustments and refunds.
    package var without: Set<String> = []
    /// Includes faults after which the order of the stream cannot be kept (`NetworkFaults.halfOpen`).
    package var includesHalfOpen = false

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// The shortest run in which everything happens at least once. A shorter one does what it has time for.
    package static let roomForAll = Duration.seconds(300)

    var hasRoomForAll: Bool { duration >= Self.roomForAll }

    /// Consumers of the same store: one is active, the others stand by.
    static let consumers = 3
    /// How long a publisher waits for a message's record before it resends it; in production a minute or two.
    static let patience = Duration.seconds(4)
    /// The same between two stretches, when everything is waited for.
    static let hurriedPatience = Duration.seconds(2)
    /// The number of messages without a record at which publishers create no new ones.
    static let backlogLimit = 1_500
    /// The time after the last fault within which everything must be done.
    static let quietLimit = Duration.seconds(60)
    /// The time after a lasting fault within which everything that was sent must be recorded, including the backlog of
    /// the fault. Two or three seconds on an otherwise idle machine. A Redis that is full, and gets no more memory,
    /// must have drained by then.
    static let returnLimit = Duration.seconds(30)
    /// The time within which an entry delivered to a stranger must be recorded, under continuous traffic.
    static let strayLimit = Duration.seconds(10)
    /// The size of the ledger's disk. A minute's ledger has some 20 MiB.
    static let diskBytes = 512 << 20
    /// The approximate number of outcomes that their stream keeps.
    static let keepOutcomes = 5_000
    /// Redis trims old outcomes by whole nodes of the stream (100 entries).
    static let outcomesSlack = 200
    /// More than a consumer of this shop ever needs.
    static let memoryLimit = 512 << 20
}
