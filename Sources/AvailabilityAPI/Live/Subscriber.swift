import NIOCore
import Synchronization

/// One listener of live figures, with the events that are queued for it.
///
/// The queue is bounded: a subscriber that does not keep up loses what is queued, gets the number of events it missed,
/// and then all its figures again (`LiveAvailability.catchUp`).
final class Subscriber: Sendable {
    let products: [ProductView]
    /// The state that its first figures showed: it is sent nothing older.
    let since: EventID
    /// Closes its connection.
    let disconnect: @Sendable () -> Void
    private let state: Mutex<State>

    /// Events that wait for one subscriber. More than it can have products, so that the changes of one look fit.
    static let bufferedEvents = RequestTarget.maximumProducts + 56

    enum Delivery: Sendable {
        case events([CountedBuffer])
        /// Events were dropped: ask for all figures again.
        case missed
        /// There will be no more.
        case over
    }

    private struct State {
        var events: [CountedBuffer] = []
        /// Events dropped that have not been reported to it yet.
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

    /// Puts an event behind those that wait.
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

    /// Puts figures in the place of what was dropped.
    /// - Parameter events: given the number of events that were dropped.
    func restart(_ events: (Int) -> [CountedBuffer]) {
        wake { state in
            state.events = events(state.missed)
            state.missed = 0
        }
    }

    /// Whether something waits for it.
    var isBehind: Bool { state.withLock { !$0.events.isEmpty || $0.missed > 0 } }

    /// No more events, not even those that wait.
    func end() {
        wake { state in state.isOver = true }
    }

    /// What is to be sent next; waits until there is something. One task asks.
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
