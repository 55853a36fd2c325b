import Randomness

/// The sequence of a run: stretches of random faults, and between them a lasting fault, or operators' work on a closed
/// shop.
struct Timetable: Sendable {
    enum Chapter: Sendable {
        /// Random faults, usually one or two at a time.
        /// - Parameter loses: Includes faults after which Redis lacks messages, or holds counters that never existed.
        case random(Duration, loses: Bool)
        case stay(StayingFaults.Kind, Duration)
        /// The shop sells for a while, then is closed for this.
        case close(ClosedShop.Kind, Duration)
    }

    private(set) var chapters: [Chapter] = []

    /// How long a fault lasts.
    private static let stay = 10.0...20.0
    /// In a run that is too short for all of them.
    private static let shortStay = 4.0...5.0
    /// How long the shop sells between a backup and its restore.
    private static let sale = 2.0...5.0
    /// In shorter runs, in seconds, the shop is never closed.
    private static let closing = 40.0
    /// Cheap kinds: over as soon as they end, and without a backlog of minutes.
    private static let shortKinds: [StayingFaults.Kind] = [.refused, .hanging, .readOnly]

    /// - Parameter duration: Of all chapters together, not including the time until the shop has recovered.
    init(_ settings: ChaosSettings, using generator: inout SeededGenerator) {
        let total = settings.duration / .seconds(1)
        var left = total / 2
        var stays: [Chapter] = []
        func add(
            _ kinds: [StayingFaults.Kind], _ range: ClosedRange<Double>, all: Bool, _ generator: inout SeededGenerator
        ) {
            for kind in kinds.shuffled(using: &generator) where !settings.without.contains(kind.rawValue) {
                let time = Double.random(in: range, using: &generator)
                if time > left, !all { return }
                stays.append(.stay(kind, .seconds(time)))
                left -= time
            }
        }
        if settings.hasRoomForAll {
            add(StayingFaults.Kind.allCases, Self.stay, all: true, &generator)
            while left > Self.stay.upperBound {
                let before = stays.count
                add(StayingFaults.Kind.allCases, Self.stay, all: false, &generator)
                if stays.count == before { break }
            }
        } else if left >= Self.stay.upperBound {
            add(StayingFaults.Kind.allCases, Self.stay, all: false, &generator)
        } else {
            add(Array(Self.shortKinds.shuffled(using: &generator).prefix(1)), Self.shortStay, all: false, &generator)
        }
        var closings = ClosedShop.Kind.allCases.filter { !settings.without.contains($0.rawValue) }
            .shuffled(using: &generator)
        if !settings.hasRoomForAll { closings = Array(closings.prefix(total < Self.closing ? 0 : 1)) }
        stays += closings.map { .close($0, .seconds(Double.random(in: Self.sale, using: &generator))) }
        // Half of the time, and the rest of the other half.
        let random = (total / 2 + max(left, 0)) / Double(stays.count + 1)
        stays.shuffle(using: &generator)
        for index in 0...stays.count {
            chapters.append(.random(.seconds(random), loses: index % 2 == 0))
            chapters += stays.dropFirst(index).prefix(1)
        }
    }

    /// The tasks for which the shop is closed.
    var closings: [ClosedShop.Kind] {
        chapters.compactMap { chapter in
            if case .close(let kind, _) = chapter { kind } else { nil }
        }
    }

    /// The lasting faults among the chapters.
    var stays: [StayingFaults.Kind] {
        chapters.compactMap { chapter in
            if case .stay(let kind, _) = chapter { kind } else { nil }
        }
    }
}
