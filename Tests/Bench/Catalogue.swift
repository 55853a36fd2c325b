import Foundation

/// A catalogue of many similar products without variants, with caps that are never reached unless `cap` is low.
struct Catalogue: Sendable {
    var products: Int
    var cap: Int64 = 1_000_000_000

    /// The name of the ledger template made from it.
    var name: String { "\(products)-products-cap-\(cap)" }

    static func id(_ index: Int) -> String { "PRODUCT-\(index)" }

    var json: String {
        var text = #"{"categories": ["edition"], "products": ["#
        for index in 0..<products {
            if index > 0 { text += ",\n" }
            text += """
                {"id": "\(Self.id(index))", "name": "Limited Edition \(index)", "category": "edition", "dev_status": 5, \
                "base_price": 99500, "has_variants": false, "max_quantity": \(cap)}
                """
        }
        return text + "]}"
    }
}

/// A catalogue's ledger without orders, to be copied for each round.
struct LedgerTemplate: Sendable {
    let path: String
}

extension Workshop {
    func ledgerTemplate(_ catalogue: Catalogue) async throws -> LedgerTemplate {
        try await ledgerTemplate(named: catalogue.name) { catalogue.json }
    }

    /// Returns the template with this name, which is made once per run.
    func ledgerTemplate(named name: String, json: () -> String) async throws -> LedgerTemplate {
        let template = LedgerTemplate(path: folder.path(of: "\(name).sqlite"))
        if FileManager.default.fileExists(atPath: template.path) { return template }
        let file = try folder.write(json(), to: "\(name).json")
        try await run(["sync", file], ledger: template.path)
        try FileManager.default.removeItem(atPath: file)
        return template
    }

    /// A ledger for one round; the previous round's is removed.
    func freshLedger(_ template: LedgerTemplate) throws -> String {
        let path = folder.path(of: "round.sqlite")
        try removeLedger(path)
        try FileManager.default.copyItem(atPath: template.path, toPath: path)
        return path
    }

    func removeLedger(_ path: String) throws {
        for suffix in ["", "-wal", "-shm", ".lock"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.removeItem(atPath: path + suffix)
        }
    }
}
