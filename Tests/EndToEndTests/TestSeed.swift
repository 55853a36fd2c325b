import Foundation
import Randomness

/// The seed of a randomised test: printed, and taken from `STOCKTAKE_TEST_SEED` to replay a run.
enum TestSeed {
    static func generator(_ name: String = #function) -> SeededGenerator {
        let given = ProcessInfo.processInfo.environment["STOCKTAKE_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: .min ... .max)
        print("\(name): STOCKTAKE_TEST_SEED=\(seed)")
        return SeededGenerator(seed: seed)
    }
}
