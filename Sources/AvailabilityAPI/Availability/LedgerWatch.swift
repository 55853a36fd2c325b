import Domain
import Ledger
import Logging
import ServiceLifecycle
import Synchronization

/// Reads the ledger's watermark once a second, so that counters behind the ledger are detected without a ledger read
/// per request.
final class LedgerWatch: Service {
    private let ledger: any LedgerQueries
    private let logger: Logger
    private let state: Mutex<LedgerWatermark?>

    private static let interval = Duration.seconds(1)

    /// - Throws: `LedgerError`.
    init(_ ledger: any LedgerQueries, logger: Logger) async throws {
        self.ledger = ledger
        self.logger = logger
        state = Mutex(try await ledger.watermark())
    }

    /// The watermark at the last poll; nil if the ledger has been replaced, so that the open one no longer describes
    /// the store.
    var watermark: LedgerWatermark? { state.withLock { $0 } }

    /// If the ledger cannot be read, the last watermark remains valid: the counters must not be below that one either.
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
