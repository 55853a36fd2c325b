#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs the rounds of a randomised test. Each has its own seed; `STOCKTAKE_TEST_SEED` replays the round that failed.
package enum Fuzzing {
    /// Calls `body` with a generator for each round, until `count` rounds are done or the time limit is reached.
    ///
    /// A failure reports the seed of its round. So does a crash: the seed is stored before the round begins.
    package static func rounds(
        _ count: Int, of test: String, within limit: Duration = .seconds(2),
        _ body: (inout SeededGenerator) throws -> Void
    ) throws {
        defer { CrashNote.clear() }
        if let seed = replayed {
            var generator = SeededGenerator(seed: seed)
            CrashNote.set("\(test): crashed with seed \(seed)")
            return try body(&generator)
        }
        let first = UInt64.random(in: 0..<1 << 32)
        let clock = ContinuousClock()
        let start = clock.now
        var done = 0
        while done < count, clock.now - start < limit {
            let seed = first + UInt64(done)
            CrashNote.set("\(test): crashed; replay it with STOCKTAKE_TEST_SEED=\(seed)")
            var generator = SeededGenerator(seed: seed)
            try body(&generator)
            done += 1
        }
        let milliseconds = max((clock.now - start) / .milliseconds(1), 1)
        print("\(test): \(done) rounds, \(Int(Double(done) * 1_000 / milliseconds)) a second, seeds from \(first)")
    }

    /// Runs rounds whose input is one array of bytes: `input` generates it, `check` tests it. A replayed round prints
    /// its input first, even if it crashes.
    package static func cases(
        _ count: Int, of test: String, within limit: Duration = .seconds(2),
        input: (inout SeededGenerator) throws -> [UInt8],
        check: (FuzzCase, inout SeededGenerator) throws -> Void
    ) throws {
        try rounds(count, of: test, within: limit) { (generator: inout SeededGenerator) throws in
            let sample = FuzzCase(bytes: try input(&generator), seed: generator.seed)
            if replayed != nil { print("\(test): \(sample)") }
            try check(sample, &generator)
        }
    }

    private static var replayed: UInt64? {
        getenv("STOCKTAKE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    }
}

/// A line that is written to standard error if the process crashes in this thread: a trap does not report its input.
private enum CrashNote {
    /// The line, as a C string, one per thread: tests run in parallel.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { free($0) }
        return key
    }()

    private static let signals = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT]
    /// The previous handlers, by signal number. Written once, before any of our handlers can run; a handler cannot take
    /// a lock.
    nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)

    private static let isInstalled: Bool = {
        _ = key
        for signal in signals {
            var action = sigaction()
            // Calls only async-signal-safe functions. Afterwards it restores the previous handler: the instruction that
            // crashed is executed again, and crashes as it would have without us.
            let handler: @convention(c) (Int32) -> Void = { signal in
                if let note = pthread_getspecific(CrashNote.key) {
                    _ = write(STDERR_FILENO, note, strlen(note.assumingMemoryBound(to: CChar.self)))
                }
                sigaction(signal, CrashNote.previous + Int(signal), nil)
            }
            #if canImport(Glibc)
                action.__sigaction_handler.sa_handler = handler
            #else
                action.__sigaction_u.__sa_handler = handler
            #endif
            sigaction(signal, &action, previous + Int(signal))
        }
        return true
    }()

    static func set(_ note: String) {
        _ = isInstalled
        clear()
        pthread_setspecific(key, strdup("\n" + note + "\n"))
    }

    static func clear() {
        free(pthread_getspecific(key))
        pthread_setspecific(key, nil)
    }
}
