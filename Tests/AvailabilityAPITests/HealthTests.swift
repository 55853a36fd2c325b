import Counters
import RedisClient
import StrictJSON
import TestSupport
import Testing

@testable import AvailabilityAPI

/// The response of `/readyz` on the public server.
@Suite struct HealthTests {
    /// - Parameter damage: Known damage of the ledger.
    private func health(
        _ shop: StorefrontFixture, _ clients: [RedisClient], damage: String? = nil
    ) async throws -> HealthReport {
        let services = try await AvailabilityServices(
            ledger: shop.ledger, counters: clients.map { CounterReader(keys: shop.keys, client: $0) },
            fallsBackToLedger: true, subscriberCount: SubscriberCount(), unread: shop.unread, damage: { damage },
            logger: StorefrontFixture.logger)
        return await services.health()
    }

    @Test("Ready means that sound availability is served, on every event loop")
    func worst() async throws {
        try await withStorefront { shop in
            let away = RedisClient(
                url: RedisURL(unixSocket: "/nonexistent/redis.sock"), logger: StorefrontFixture.logger)
            for clients in [[shop.client, away], [away, shop.client]] {
                let report = try await health(shop, clients)
                #expect(report.trouble == nil)
                #expect(report.checks.text.contains(#""figures":"from ledger: epoch "#), "\(report.checks)")
                let damaged = try await health(shop, clients, damage: "page 7")
                #expect(damaged.trouble == "figures: from a ledger that is damaged")
            }
            let report = try await health(shop, [shop.client, shop.client], damage: "page 7")
            #expect(report.trouble == nil)
            #expect(report.checks.text.contains(#""figures":"from redis: epoch "#), "\(report.checks)")
            #expect(report.checks.text.contains(#""ledger":"it is damaged: page 7""#))
            await away.close()
        }
    }
}
