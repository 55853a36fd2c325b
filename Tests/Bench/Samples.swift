/// The results of the rounds of one measurement, in their order.
struct Samples: Sendable, Encodable {
    private(set) var rounds: [Double] = []

    mutating func add(_ value: Double) { rounds.append(value) }

    var isEmpty: Bool { rounds.isEmpty }
    var least: Double { rounds.min() ?? 0 }
    var most: Double { rounds.max() ?? 0 }

    /// For an even number, the mean of the two in the middle; 0 if there are none.
    var median: Double {
        if rounds.isEmpty { return 0 }
        let sorted = rounds.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    init() {}

    private enum CodingKeys: String, CodingKey {
        case rounds, median, least, most
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rounds, forKey: .rounds)
        try container.encode(median, forKey: .median)
        try container.encode(least, forKey: .least)
        try container.encode(most, forKey: .most)
    }
}
