#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Rounds of a randomised test. Each has a seed of its own; `STOCKTAKE_TEST_SEED` replays the one that failed.
package enum Fuzzing {
    /// Calls `body` with a generator for each round. A crash or a failure names the seed: it is printed before.
    package static func rounds(_ count: Int, of test: String, _ body: (inout SeededGenerator) throws -> Void) throws {
        if let text = getenv("STOCKTAKE_TEST_SEED"), let seed = UInt64(String(cString: text)) {
            var generator = SeededGenerator(seed: seed)
            return try body(&generator)
        }
        let first = UInt64.random(in: 0..<1 << 32)
        print("\(test): seeds \(first) to \(first + UInt64(count) - 1); replay one with STOCKTAKE_TEST_SEED")
        for round in 0..<UInt64(count) {
            var generator = SeededGenerator(seed: first + round)
            try body(&generator)
        }
    }
}
