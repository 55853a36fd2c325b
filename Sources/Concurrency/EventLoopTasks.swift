import NIOCore
import NIOPosix

/// Runs tasks on an event loop. Tasks that await each other there wake no other thread. Their jobs must be short.
package final class EventLoopTasks: TaskExecutor {
    package let eventLoop: any EventLoop
    /// Keeps the event loop's thread alive; `nil` if the caller owns the event loop.
    private let group: (any EventLoopGroup)?

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        group = nil
    }

    /// Creates an event loop on a dedicated thread. The thread never ends, so store the instance in a constant.
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
