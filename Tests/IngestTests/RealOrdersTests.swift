import CatalogueFiles
import Foundation
import Ingest
import Domain
import Testing

/// The folder of the real orders, if it exists.
private let realOrders: String = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return ProcessInfo.processInfo.environment["STOCKTAKE_REAL_ORDERS"]
        ?? root.appendingPathComponent("../shared/data/online-retail").path
}()

@Suite(
    "Real orders",
    .enabled(
        if: FileManager.default.fileExists(atPath: realOrders),
        "skipped: there is no folder \(realOrders); set STOCKTAKE_REAL_ORDERS to one with the real orders"))
struct RealOrdersTests {
    @Test("Every one of 2,000 real orders is decoded")
    func orders() throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: realOrders + "/checkouts-2000.ndjson"))
        var lines = 0
        var orders = 0
        for line in file.split(separator: UInt8(ascii: "\n")) {
            let bytes = Array(line)
            let frame = try MessageFrame.parse(bytes)
            let result = MessageDecoder.decode(
                type: ByteSlice(Array(frame.type.utf8)), payload: ByteSlice(bytes, at: frame.payload))
            guard case .placeOrder(let order) = try result.get() else { continue }
            let checkout = order.checkout
            orders += 1
            lines += checkout.items.count
        }
        #expect(orders == 2_000)
        #expect(lines == 55_492)
    }

    @Test("The real catalogue is valid; it has warnings for its source's name and for similar ids")
    func catalogue() throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: realOrders + "/products-2000.json"))
        guard case .valid(let catalogue, let warnings) = CatalogueFile.decode(Array(file)) else {
            Issue.record("\(CatalogueFile.decode(Array(file)))")
            return
        }
        #expect(catalogue.products.count == 3_419)
        #expect(catalogue.products.filter(\.hasVariants).count == 442)
        #expect(warnings.first == CatalogueIssue("source", "unknown key, ignored"))
        // 15056BL and 15056bl: 112 of them, of which the first are named.
        #expect(warnings.dropFirst().prefix(20).allSatisfy { $0.message.contains("differs only in case") })
        #expect(warnings.dropFirst(21) == [CatalogueIssue("products", "92 more ids look like another id")])
    }
}
