import NIOCore
import Synchronization

/// One client of live availability, with the events queued for it.
///
/// The queue is bounded: a subscriber that does not keep up loses its queued events, receives the number of events it
/// missed, and then the availability of all its products again (`LiveAvailability.catchUp`).
final class Subscriber: Sendable {
    let products: [ProductView]
    /// The id of its first snapshot; it receives no older event.
    let since: EventID
    /// Closes its connection.
    let disconnect: @Sendable () -> Void
    private let state: Mutex<State>

    /// Maximum number of queued events: exceeds the maximum number of products, so that the changes of one poll fit.
    static let bufferedEvents = RequestTarget.maximumProducts + 56

    enum Delivery: Sendable {
        case events([CountedBuffer])
        /// Events were dropped: request all availability again.
        case missed
        /// There will be no more events.
        case over
    }

    private struct State {
        var events: [CountedBuffer] = []
        /// Dropped events that have not been reported to it yet.
        var missed = 0
        var isOver = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    init(products: [ProductView], since: EventID, disconnect: @escaping @Sendable () -> Void) {
        self.products = products
        self.since = since
        self.disconnect = disconnect
        state = Mutex(State())
    }

    /// Appends an event to the queue.
    func offer(_ event: CountedBuffer) {
        wake { state in
            if state.missed > 0 {
                state.missed += 1
            } else if state.events.count == Self.bufferedEvents {
                state.missed = state.events.count + 1
                state.events = []
            } else {
                state.events.append(event)
            }
        }
    }

    /// Replaces the dropped events.
    /// - Parameter events: called with the number of dropped events; returns the new queue.
    func restart(_ events: (Int) -> [CountedBuffer]) {
        wake { state in
            state.events = events(state.missed)
            state.missed = 0
        }
    }

    /// Whether events are queued, or were dropped.
    var isBehind: Bool { state.withLock { !$0.events.isEmpty || $0.missed > 0 } }

    /// Ends the subscription and discards queued events.
    func end() {
        wake { state in state.isOver = true }
    }

    /// The next events to send; waits until there are any. Only one task may call it.
    func next() async -> Delivery {
        while true {
            let delivery: Delivery? = state.withLock { state in
                if state.isOver { return .over }
                if state.missed > 0 { return .missed }
                if state.events.isEmpty { return nil }
                defer { state.events = [] }
                return .events(state.events)
            }
            if let delivery { return delivery }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isOver || state.missed > 0 || !state.events.isEmpty { return true }
                    state.waiting = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }
}
