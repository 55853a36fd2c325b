import Domain

/// Periodically compares three clocks: that of Redis, from which ids are generated; that of this machine, from which
/// `decided_at` is taken; and a monotonic one. Does no I/O.
struct ClockWatch {
    /// A problem that a reading shows and the previous reading did not.
    enum Finding: Equatable {
        /// A clock was set: it moved by this much more than the elapsed time.
        case redisStepped(Duration)
        case machineStepped(Duration)
        /// The clocks differ: this machine's clock minus that of Redis.
        case apart(Duration)
        /// The ids of messages are ahead of the clock of Redis: the clock was ahead for a moment, and ids never go
        /// back.
        case idsAhead(Duration)
    }

    /// One reading of all clocks.
    struct ClockReading {
        /// The time by the monotonic clock.
        var at: ContinuousClock.Instant
        /// The clocks of Redis and of this machine, since 1970.
        var redis: Duration
        var machine: Duration
        /// The clock of Redis was read at most this much later than the other two.
        var uncertainty: Duration
        /// How far the ids are ahead of the clock of Redis; `nil` if unknown.
        var idsAhead: Duration?
    }

    private var last: ClockReading?
    private var wasApart = false
    private var areIDsAhead = false
    private static let tolerance = Timestamp.clockTolerance

    mutating func check(_ reading: ClockReading) -> [Finding] {
        var findings: [Finding] = []
        if let last {
            let passed = reading.at - last.at
            let redis = reading.redis - last.redis - passed
            if redis.magnitude > Self.tolerance + reading.uncertainty + last.uncertainty {
                findings.append(.redisStepped(redis))
            }
            let machine = reading.machine - last.machine - passed
            if machine.magnitude > Self.tolerance { findings.append(.machineStepped(machine)) }
        }
        let apart = reading.machine - reading.redis
        let isApart = apart.magnitude > Self.tolerance + reading.uncertainty
        if isApart, !wasApart { findings.append(.apart(apart)) }
        wasApart = isApart
        let ahead = reading.idsAhead.flatMap { $0 > Self.tolerance ? $0 : nil }
        if let ahead, !areIDsAhead { findings.append(.idsAhead(ahead)) }
        areIDsAhead = ahead != nil
        last = reading
        return findings
    }
}

extension Duration {
    var magnitude: Duration { self < .zero ? .zero - self : self }
}
