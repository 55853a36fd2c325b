import NIOCore
import Synchronization

/// Lets commands of several tasks go to the server in one write: it executes them together, and one flush of its
/// append-only file serves them all.
///
/// Each command has a part. Nothing is sent before every part has either joined, with its command, or left.
package final class SharedWrite: Sendable {
    /// One command of a shared write. Once it has joined or left, commands that are given to it are sent alone.
    package final class Part: Sendable {
        private let write: SharedWrite
        private let isOver = Atomic(false)

        fileprivate init(_ write: SharedWrite) { self.write = write }

        /// The others do not wait for it any longer. Does nothing once it has joined.
        package func leave() {
            if !isOver.exchange(true, ordering: .relaxed) { write.proceed(with: nil) }
        }

        /// Calls `send` on the event loop once all others have joined or left.
        func join(on eventLoop: any EventLoop, _ send: @escaping @Sendable () -> Void) {
            if isOver.exchange(true, ordering: .relaxed) { return eventLoop.execute(send) }
            write.proceed(with: Command(eventLoop: eventLoop, send: send))
        }
    }

    private struct Command: Sendable {
        var eventLoop: any EventLoop
        var send: @Sendable () -> Void
    }

    private struct State: Sendable {
        var missing: Int
        var commands: [Command] = []
    }

    private let state: Mutex<State>

    private init(of parts: Int) { state = Mutex(State(missing: parts)) }

    /// The parts of a shared write of two commands.
    package static func ofTwo() -> (Part, Part) {
        let write = SharedWrite(of: 2)
        return (Part(write), Part(write))
    }

    /// One part has joined with its command, or left; after the last one all are sent.
    private func proceed(with command: Command?) {
        let commands = state.withLock { state -> [Command] in
            state.missing -= 1
            if let command { state.commands.append(command) }
            if state.missing > 0 { return [] }
            defer { state.commands = [] }
            return state.commands
        }
        guard let eventLoop = commands.first?.eventLoop else { return }
        // On one event loop, as those of one client are, they are written in one tick.
        eventLoop.execute {
            for command in commands {
                if command.eventLoop === eventLoop { command.send() } else { command.eventLoop.execute(command.send) }
            }
        }
    }
}
