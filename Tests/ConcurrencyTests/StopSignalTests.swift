import Concurrency
import Testing

@Suite("The stop signal", .timeLimit(.minutes(1)))
struct StopSignalTests {
    @Test("ends a pause at once, however long it is, and each later one")
    func endsPauses() async {
        let stop = StopSignal()
        let pauses = (0..<3).map { _ in Task { try await stop.pause(.seconds(3_600)) } }
        stop.request()
        for pause in pauses {
            await #expect(throws: StopSignal.Stopped.self) { try await pause.value }
        }
        await #expect(throws: StopSignal.Stopped.self) { try await stop.pause(.seconds(3_600)) }
    }

    @Test("lets a pause end by itself if no stop is requested")
    func pauses() async throws {
        let stop = StopSignal()
        let start = ContinuousClock.now
        try await stop.pause(.milliseconds(20))
        #expect(ContinuousClock.now - start >= .milliseconds(20) && !stop.isRequested)
    }

    @Test("ends a cancelled pause by throwing and a cancelled wait by returning")
    func cancelled() async {
        let stop = StopSignal()
        let pause = Task { try await stop.pause(.seconds(3_600)) }
        let wait = Task { await stop.wait() }
        pause.cancel()
        wait.cancel()
        await #expect(throws: CancellationError.self) { try await pause.value }
        await wait.value
        #expect(!stop.isRequested)
    }

    @Test("ends a wait, also one that begins afterwards")
    func endsWaits() async {
        let stop = StopSignal()
        let wait = Task { await stop.wait() }
        stop.request()
        await wait.value
        await stop.wait()
    }

    @Test("runs an action once, at the stop or at once after it, unless it was withdrawn")
    func actions() async {
        let stop = StopSignal()
        await confirmation(expectedCount: 2) { ran in
            stop.whenRequested { ran() }
            let withdraw = stop.whenRequested { Issue.record("it was withdrawn") }
            withdraw()
            stop.request()
            stop.request()
            stop.whenRequested { ran() }
        }
    }
}
