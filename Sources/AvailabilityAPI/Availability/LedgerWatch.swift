import Domain
import Ledger
import Logging
import ServiceLifecycle
import Synchronization

/// Reads once a second how far the ledger is, so that counters that are behind it are noticed without a read of the
/// ledger for each of theirs.
final class LedgerWatch: Service {
    private let ledger: any LedgerQueries
    private let logger: Logger
    private let state: Mutex<LedgerWatermark?>

    private static let interval = Duration.seconds(1)

    /// Errors: `LedgerError`.
    init(_ ledger: any LedgerQueries, logger: Logger) async throws {
        self.ledger = ledger
        self.logger = logger
        state = Mutex(try await ledger.watermark())
    }

    /// As of the last look; nil: another ledger is in its place by now, and the open one says nothing about the store.
    var watermark: LedgerWatermark? { state.withLock { $0 } }

    /// A ledger that cannot be read leaves the last watermark as it is: the counters must not be below that either.
    func poll() async {
        do {
            try await ledger.requireInPlace()
        } catch let error as any LedgerError where error.kind == .replaced {
            let isNews = state.withLock { watermark in
                defer { watermark = nil }
                return watermark != nil
            }
            if isNews {
                logger.error(
                    "the ledger was moved or replaced; names and products are those of the old one until this process is started again",
                    metadata: ["ledger": "\(ledger.name)"])
            }
            return
        } catch {
            return
        }
        guard let watermark = try? await ledger.watermark() else { return }
        state.withLock { $0 = watermark }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                await self.poll()
            }
        }
    }
}
