/// How much is measured. The sizes of a full run are those of the goals if a goal names one, and keep the whole below
/// ten minutes on two cores; a quick run shows that everything works, and the order of magnitude.
struct Scale: Sendable, Encodable {
    let isQuick: Bool
    /// Rounds of each measurement; a quick run makes fewer.
    let rounds: Int
    /// No round begins that would end after it: some seconds less than promised, to leave time for the end.
    let limitSeconds: Int

    /// Orders of one hot product, and of a hundred.
    let hotOrders: Int
    let hundredOrders: Int
    /// Seconds for each number of PostgreSQL's clients, in each round.
    let peerSeconds: Int
    /// Orders for each stage alone, and the number of them that are processed one at a time.
    let stageOrders: Int
    let singleOrders: Int
    /// How often the 2,000 real orders are repeated.
    let realRepetitions: Int
    let refusals: Int
    let steadySeconds: Int
    let growthOrders: Int
    let manyProducts: Int
    let oldOrders: Int
    /// Waiting messages, few and many, and how long the consumer is observed.
    let memoryBacklogs: [Int]
    let memorySeconds: [Int]
    let httpSeconds: Int
    let eventSeconds: Int
    let subscribers = 1_000
    /// The rate of steady orders, per second.
    let steadyRate = 2_000

    static func full(rounds: Int) -> Scale {
        Scale(
            isQuick: false, rounds: rounds, limitSeconds: 590, hotOrders: 200_000, hundredOrders: 50_000,
            peerSeconds: 1,
            stageOrders: 40_000, singleOrders: 1_500, realRepetitions: 6, refusals: 25_000, steadySeconds: 2,
            growthOrders: 20_000, manyProducts: 100_000, oldOrders: 5_000_000, memoryBacklogs: [10_000, 1_000_000],
            memorySeconds: [4, 20], httpSeconds: 3, eventSeconds: 4)
    }

    static func quick(rounds: Int) -> Scale {
        Scale(
            isQuick: true, rounds: min(rounds, 2), limitSeconds: 87, hotOrders: 20_000, hundredOrders: 12_000,
            peerSeconds: 1, stageOrders: 10_000, singleOrders: 400, realRepetitions: 1, refusals: 8_000,
            steadySeconds: 1, growthOrders: 6_000, manyProducts: 20_000, oldOrders: 100_000,
            memoryBacklogs: [10_000, 20_000], memorySeconds: [1, 2], httpSeconds: 1, eventSeconds: 2)
    }
}
