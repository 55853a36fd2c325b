import Synchronization

/// The number of clients that currently follow live availability.
package final class SubscriberCount: Sendable {
    private let count = Mutex(0)

    package init() {}

    package var value: Int { count.withLock { $0 } }

    func set(_ number: Int) { count.withLock { $0 = number } }
}
