import Foundation

/// Where the processors' time goes: where ours and Redis' together are near what there is, they are the limit.
struct ProcessorTime {
    private var consumer = Samples()
    private var redis = Samples()
    private var available = Samples()

    mutating func add(_ consumption: Consumption) {
        let each = 1e6 / Double(consumption.orders)
        consumer.add(consumption.processorSeconds.consumer * each)
        redis.add(consumption.processorSeconds.redis * each)
        available.add(consumption.seconds * Double(ProcessInfo.processInfo.activeProcessorCount) * each)
    }

    /// No goal: it is there to be known.
    func row(of group: RowGroup, _ figure: String) -> Row {
        Row(
            group: group, figure: figure, unit: .microseconds, ours: consumer,
            others: [.init(name: "Redis", samples: redis), .init(name: "all processors", samples: available)])
    }

    /// What a process has used so far; 0 once it has ended.
    static func seconds(of processID: Int32) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)) ?? ""
        // Its name is in parentheses, and may hold anything; 11 fields behind it come user and system time in ticks.
        guard let name = text.lastIndex(of: ")") else { return 0 }
        let ticks = text[name...].split(separator: " ").dropFirst(12).prefix(2).compactMap { Double($0) }
        return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
