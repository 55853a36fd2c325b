/// The counts of wrk: a closed loop, in which each connection sends its next request after the response. Its delays are
/// those of requests that were sent, so they are a lower bound if the server stops for a while.
struct WrkLoad: Sendable {
    var requestsPerSecond: Double
    /// Milliseconds.
    var p99: Double

    static func run(_ target: String, connections: Int, seconds: Int, in workshop: Workshop) async throws -> WrkLoad {
        guard let program = ForeignProgram.wrk.path else {
            throw MissingInput(description: "wrk is not installed; scripts/setup --bench installs it")
        }
        let said = try await workshop.output(
            program, ["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", target], within: .seconds(seconds + 30))
        let lines = said.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
        let rate = lines.first { $0.first == "Requests/sec:" }?.last.flatMap { Double($0) }
        let p99 = lines.first { $0.first == "99%" }?.last.flatMap { milliseconds(String($0)) }
        guard let rate, let p99, !said.contains("Non-2xx"), !said.contains("Socket errors") else {
            throw BenchError("measuring reads failed: on \(target): wrk says:\n\(said)")
        }
        return WrkLoad(requestsPerSecond: rate, p99: p99)
    }

    private static func milliseconds(_ text: String) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1), ("s", 1_000)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }
}
