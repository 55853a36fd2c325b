import Chaos
import Testing

/// A short run of `scripts/chaos`.
@Suite struct ChaosTests {
    @Test("A shop with random faults and a lasting one ends as if nothing had happened")
    func shortRun() async throws {
        var settings = ChaosSettings(seed: 20_261_122)
        settings.duration = .seconds(14)
        let report = try await ChaosRun.run(settings)
        print(report.text)
        #expect(report.violations.isEmpty, "\(report.text)")
    }
}
