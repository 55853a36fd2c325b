import Foundation

/// The use of processor time: if ours and Redis' together are near what is available, the processors are the limit.
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

    /// A row without a goal, for information.
    func row(of group: RowGroup, _ figure: String) -> Row {
        Row(
            group: group, figure: figure, unit: .microseconds, ours: consumer,
            others: [.init(name: "Redis", samples: redis), .init(name: "all processors", samples: available)])
    }

    /// The processor time that a process has used so far; 0 once it has ended.
    static func seconds(of processID: Int32) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)) ?? ""
        // The name is in parentheses, and may contain anything; user and system time in ticks follow 11 fields later.
        guard let name = text.lastIndex(of: ")") else { return 0 }
        let ticks = text[name...].split(separator: " ").dropFirst(12).prefix(2).compactMap { Double($0) }
        return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
