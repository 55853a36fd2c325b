import Testing

@testable import Consumer

@Suite("Clocks that are wrong")
struct ClockWatchTests {
    private let start = ContinuousClock.now

    /// - Parameter second: The true time that has passed.
    private func reading(
        _ second: Double, redis: Double = 0, machine: Double = 0, late: Double = 0, ahead: Double? = -1
    ) -> ClockWatch.ClockReading {
        .init(
            at: start + .seconds(second), redis: .seconds(1_000 + second + redis),
            machine: .seconds(1_000 + second + machine), uncertainty: .seconds(late),
            idsAhead: ahead.map { .seconds($0) })
    }

    @Test("Clocks that drift slightly are not reported")
    func right() {
        var clocks = ClockWatch()
        func check(_ reading: ClockWatch.ClockReading) -> [ClockWatch.Finding] { clocks.check(reading) }
        for second in stride(from: 0.0, to: 100, by: 10) {
            #expect(check(reading(second, redis: second / 100, machine: -second / 200)) == [])
        }
    }

    @Test("A clock that is set is reported once, with the size of the step", arguments: [-3_600.0, 86_400])
    func step(by seconds: Double) {
        var clocks = ClockWatch()
        func check(_ reading: ClockWatch.ClockReading) -> [ClockWatch.Finding] { clocks.check(reading) }
        #expect(check(reading(0)) == [])
        let redis = check(reading(10, redis: seconds))
        #expect(redis == [.redisStepped(.seconds(seconds)), .apart(.seconds(-seconds))])
        #expect(check(reading(20, redis: seconds)) == [])
        // The other clock follows: they agree again.
        #expect(check(reading(30, redis: seconds, machine: seconds)) == [.machineStepped(.seconds(seconds))])
        #expect(check(reading(40, redis: seconds, machine: seconds)) == [])
    }

    @Test("A clock that was wrong from the start is reported, too")
    func apart() {
        var clocks = ClockWatch()
        func check(_ reading: ClockWatch.ClockReading) -> [ClockWatch.Finding] { clocks.check(reading) }
        #expect(check(reading(0, machine: 90)) == [.apart(.seconds(90))])
        #expect(check(reading(10, machine: 90)) == [])
        #expect(check(reading(20)) == [.machineStepped(.seconds(-90))])
    }

    @Test("A late reply is not mistaken for a step of the clock")
    func lateReply() {
        var clocks = ClockWatch()
        func check(_ reading: ClockWatch.ClockReading) -> [ClockWatch.Finding] { clocks.check(reading) }
        #expect(check(reading(0)) == [])
        #expect(check(reading(10, redis: 6, late: 7)) == [])
        #expect(check(reading(20)) == [])
        #expect(check(reading(30, redis: 6, late: 1)) == [.redisStepped(.seconds(6)), .apart(.seconds(-6))])
    }

    @Test("Ids ahead of the clock are reported once, and again if they recur")
    func idsAhead() {
        var clocks = ClockWatch()
        func check(_ reading: ClockWatch.ClockReading) -> [ClockWatch.Finding] { clocks.check(reading) }
        #expect(check(reading(0, ahead: nil)) == [])
        #expect(check(reading(10, ahead: 1)) == [])
        #expect(check(reading(20, ahead: 3_600)) == [.idsAhead(.seconds(3_600))])
        #expect(check(reading(30, ahead: 3_590)) == [])
        #expect(check(reading(40, ahead: -1)) == [])
        #expect(check(reading(50, ahead: 60)) == [.idsAhead(.seconds(60))])
    }
}
