import Chaos
import Testing

/// A short run of `scripts/chaos`.
@Suite struct ChaosTests {
    @Test("A shop that is broken for a while, also by a fault that stays, ends as if nothing had happened")
    func shortRun() async throws {
        var settings = ChaosSettings(seed: 20_261_122)
        settings.duration = .seconds(14)
        let report = try await ChaosRun.run(settings)
        print(report.text)
        #expect(report.violations.isEmpty, "\(report.text)")
    }
}
