import Foundation

/// Checks whether everything that readers were shown was ever true.
///
/// A state (epoch, seq) of the counters is that of the ledger after the change with this number, under the catalogue of
/// the epoch. It can be looked up if that change was recorded in that epoch: readers may also have seen decisions that,
/// because of a crash, were never recorded, and those cannot be checked.
///
/// Edits of the counters are exempt: from an edit to the next epoch the counters may show anything.
struct ShownJudge {
    private let contents: LedgerContents
    private let catalogues: [Int64: ShopCatalogue]
    /// The catalogue version of each epoch.
    private let versions: [Int64: Int64]
    private let journal: ChaosJournal
    private let epochs: [Int64: LedgerRows.Epoch]
    /// The epoch in which each change was recorded.
    private var recordedIn: [Int64: Int64] = [:]
    /// Each change's effect on the sold units.
    private var changes: [Int64: [String: Int]] = [:]

    init(
        _ contents: LedgerContents, catalogues: [Int64: ShopCatalogue], versions: [Int64: Int64], journal: ChaosJournal
    ) {
        self.contents = contents
        self.catalogues = catalogues
        self.versions = versions
        self.journal = journal
        epochs = Dictionary(uniqueKeysWithValues: contents.epochs.map { ($0.number, $0) })
        for row in contents.orders {
            for line in row.lines { add(row.seq, row.epoch, line.units, line.product, line.variant) }
        }
        for row in contents.cancellations {
            for item in row.items { add(row.seq, row.epoch, -item.givenBack, item.product, item.variant) }
        }
        for row in contents.adjustments { add(row.seq, row.epoch, row.units, row.product, row.variant) }
    }

    private mutating func add(_ seq: Int64?, _ epoch: Int64, _ units: Int, _ product: String, _ variant: String?) {
        guard let seq else { return }
        recordedIn[seq] = epoch
        changes[seq, default: [:]][product, default: 0] += units
        if let variant { changes[seq, default: [:]][variant, default: 0] += units }
    }

    static let compared = "states compared with the ledger"

    // MARK: - Judging

    func judge(_ history: [Shown]) {
        var last: [String: (epoch: Int64, seq: Int64)] = [:]
        var known: [Shown] = []
        for shown in history {
            let (epoch, seq) = (shown.body.epoch, shown.body.seq)
            if isTouched(shown) {
                journal.count(Shopfront.heading, "states excepted, as the counters were touched")
                continue
            }
            if let last = last[shown.reader], (epoch, seq) < last {
                journal.violation(
                    .responses, "\(shown.reader) was shown \(epoch).\(seq) after \(last.epoch).\(last.seq)")
            }
            last[shown.reader] = (epoch, seq)
            guard let opened = epochs[epoch], seq >= opened.seq else {
                journal.violation(.responses, "\(shown.reader) was shown \(epoch).\(seq), which never existed")
                continue
            }
            if seq == opened.seq || recordedIn[seq] == epoch {
                known.append(shown)
            } else {
                journal.count(Shopfront.heading, "states that were reverted")
            }
        }
        check(known)
    }

    private func isTouched(_ shown: Shown) -> Bool {
        // For an epoch that the ledger does not know, only the time is known.
        let opened = epochs[shown.body.epoch]?.openedAt ?? .distantPast
        return journal.wereFiguresTouched(from: opened, to: shown.at)
    }

    /// Replays the states in the order of their seqs, with the units sold up to each.
    private func check(_ known: [Shown]) {
        var sold: [String: Int] = [:]
        var seq: Int64 = 0
        for shown in known.sorted(by: { $0.body.seq < $1.body.seq }) {
            while seq < shown.body.seq {
                seq += 1
                sold.merge(changes[seq] ?? [:], uniquingKeysWith: +)
            }
            guard let version = versions[shown.body.epoch], let catalogue = catalogues[version] else {
                journal.violation(.responses, "the catalogue of epoch \(shown.body.epoch) is unknown")
                continue
            }
            if shown.mayBeNewer { continue }
            journal.count(Shopfront.heading, Self.compared)
            for product in shown.body.products {
                for difference in differences(product, sold, catalogue) {
                    journal.violation(
                        .responses,
                        "\(shown.reader) at \(shown.body.epoch).\(shown.body.seq), catalogue \(version): \(difference)")
                }
            }
        }
    }

    private func differences(_ product: Shown.Stock, _ sold: [String: Int], _ catalogue: ShopCatalogue) -> [String] {
        guard let shelf = catalogue.shelf(of: product.id) else { return ["product \(product.id) is not on sale"] }
        var differences: [String] = []
        func compare<T: Equatable>(_ id: String, _ what: String, _ found: T, _ expected: T) {
            if found != expected { differences.append("\(what) of \(id) is \(found) instead of \(expected)") }
        }
        func left(_ id: String) -> Int? { catalogue.caps[id].map { max($0 - sold[id, default: 0], 0) } }
        let own = left(product.id)
        compare(product.id, "is_active", product.isActive, shelf.isOpen)
        compare(product.id, "sold_quantity", product.sold, sold[product.id, default: 0])
        compare(product.id, "max_quantity", product.cap, catalogue.caps[product.id])
        compare(product.id, "available_quantity", product.available, own)
        let variants = product.variants ?? []
        for variant in variants {
            guard let known = shelf.variants.first(where: { $0.id == variant.id }) else {
                differences.append("\(variant.id) is no variant of \(product.id)")
                continue
            }
            let isOpen = shelf.isOpen && known.isOpen
            let available = [left(variant.id), own].compactMap { $0 }.min()
            compare(variant.id, "is_active", variant.isActive, isOpen)
            compare(variant.id, "sold_quantity", variant.sold, sold[variant.id, default: 0])
            compare(variant.id, "max_quantity", variant.cap, catalogue.caps[variant.id])
            compare(variant.id, "available_quantity", variant.available, available)
            compare(variant.id, "is_available", variant.isAvailable, isOpen && available != 0)
        }
        for variant in shelf.variants where variant.isOpen && !variants.contains(where: { $0.id == variant.id }) {
            differences.append("variant \(variant.id) of \(product.id) is missing")
        }
        let canBeBought = !shelf.hasVariants || variants.contains(where: \.isAvailable)
        compare(product.id, "is_available", product.isAvailable, shelf.isOpen && own != 0 && canBeBought)
        return differences
    }
}
