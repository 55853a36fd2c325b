import Foundation
import Synchronization

/// The catalogues of a run, by the version that `sync` assigned.
final class Catalogues: Sendable {
    private let state: Mutex<(versions: [Int64: ShopCatalogue], latest: ShopCatalogue, version: Int64)>

    init() {
        state = Mutex((versions: [:], latest: ShopCatalogue(), version: 0))
    }

    var latest: ShopCatalogue { state.withLock { $0.latest } }
    var version: Int64 { state.withLock { $0.version } }
    var versions: [Int64: ShopCatalogue] { state.withLock { $0.versions } }

    /// The largest cap that a product or variant ever had; `nil` if it was ever unlimited.
    func largestCap(of id: String) -> Int? {
        let caps = versions.values.filter { $0.counters.contains(id) }.map { $0.caps[id] }
        return caps.contains { $0 == nil } ? nil : caps.compactMap { $0 }.max()
    }

    /// Syncs a catalogue into the ledger. Noted before the attempt: a failed attempt may have been written.
    func sync(_ catalogue: ShopCatalogue, in shop: ChaosShop) async throws -> Bool {
        let next = version + 1
        state.withLock { $0.versions[next] = catalogue }
        let file = try shop.folder.write(catalogue.file, to: "products.json")
        let result = try await shop.run(["sync", file])
        var number: Int64?
        if result.status == 0 {
            number = result.output.split(separator: " ").last.flatMap { Int64($0.filter(\.isNumber)) }
        } else if try await shop.rows.readSoon(LedgerRows.head).catalogueVersion == next {
            // It failed after it was written.
            number = next
        }
        guard let number else { return false }
        state.withLock { state in
            state.versions[number] = catalogue
            state.latest = catalogue
            state.version = number
        }
        return true
    }
}
