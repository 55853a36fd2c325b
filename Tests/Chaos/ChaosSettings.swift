/// What a run does; everything random comes from `seed`.
///
/// A seed brings back the same messages and the same faults in the same order. It does not bring back their moments:
/// those depend on how fast the machine is, so two runs of one seed are alike, not equal.
package struct ChaosSettings: Sendable {
    /// How long faults go on. What follows, until everything is done, has a separate limit (`quietLimit`).
    package var duration = Duration.seconds(60)
    package var seed: UInt64
    /// Writes what is done to standard error while it happens.
    package var isVerbose = false
    /// Keeps ledger, logs and history also when all is well.
    package var keepsFolder = false
    /// Kinds of faults that are left out, by their names in the report; `cancellations` leaves cancellations,
    /// adjustments and refunds out.
    package var without: Set<String> = []
    /// Also faults after which the order of the stream cannot be kept (`NetworkFaults.halfOpen`).
    package var includesHalfOpen = false

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// The shortest run in which everything happens at least once. A shorter one does what it has time for.
    package static let roomForAll = Duration.seconds(300)

    var hasRoomForAll: Bool { duration >= Self.roomForAll }

    /// Consumers of the same store: one is active, the others stand by.
    static let consumers = 3
    /// How long a publisher waits for a message's record before it sends it again; in life a minute or two.
    static let patience = Duration.seconds(4)
    /// The same between two stretches, when everything is waited for.
    static let hurriedPatience = Duration.seconds(2)
    /// Messages without a record at which publishers make no new ones.
    static let backlogLimit = 1_500
    /// Until when everything must be done after the last fault has ended.
    static let quietLimit = Duration.seconds(60)
    /// Until when all that was sent must be recorded after a fault that stayed has ended, with a backlog of all that
    /// time. Two or three seconds on a machine that does nothing else. A Redis that is full, and gets no more memory,
    /// must have drained by then.
    static let returnLimit = Duration.seconds(30)
    /// Until when an entry must be recorded that was delivered to a stranger, under continuous traffic.
    static let strayLimit = Duration.seconds(10)
    /// The ledger's disk. A minute's ledger has some 20 MiB.
    static let diskBytes = 512 << 20
    /// Outcomes that their stream keeps, about.
    static let keepOutcomes = 5_000
    /// Redis drops old outcomes a node of the stream (100 entries) at a time.
    static let outcomesSlack = 200
    /// More than a consumer of this shop ever needs.
    static let memoryLimit = 512 << 20
}
