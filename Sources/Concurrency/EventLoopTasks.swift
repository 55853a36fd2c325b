import NIOCore
import NIOPosix

/// Runs tasks on an event loop: when they wait for each other, no other thread is woken. They must not take long.
package final class EventLoopTasks: TaskExecutor {
    package let eventLoop: any EventLoop
    /// Keeps the event loop's thread.
    private let group: (any EventLoopGroup)?

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        group = nil
    }

    /// On a thread of its own, which never ends: for a constant.
    package init() {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        eventLoop = group.next()
        self.group = group
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
