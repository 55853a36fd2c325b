import Foundation
import TestSupport
import Testing

/// The catalogue's history as the operator reads it.
@Suite struct CatalogueHistoryTests {
    @Test("catalogue history lists who changed a cap, when, and from what to what")
    func history() async throws {
        let shop = try await Shop()
        let lowered = Shop.catalogue.replacing(#""max_quantity": 7"#, with: #""max_quantity": 6"#)
        #expect(lowered != Shop.catalogue)
        try shop.folder.write(lowered, to: "lowered.json")
        try await shop.succeed("sync", shop.folder.path(of: "lowered.json"))
        let text = try await shop.succeed("catalogue", "history", "--limit", "1", "--json")
        let page = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let change = try #require((page["changes"] as? [[String: Any]])?.first)
        #expect(change["column"] as? String == "max_quantity")
        #expect(change["before"] as? Int == 7 && change["after"] as? Int == 6)
        #expect(change["version"] as? Int == 2 && change["by"] as? String == NSUserName())
        let id = try #require(change["id"] as? String)
        let table = try await shop.succeed("catalogue", "history", id)
        let lines = table.split(separator: "\n")
        #expect(lines.count == 3 && lines[2].contains("added"), "\(table)")
        let unknown = try await shop.run(["catalogue", "history", "NONE"])
        #expect(unknown.status == 1 && unknown.errors.contains("no product or variant"), "\(unknown.errors)")
    }
}
