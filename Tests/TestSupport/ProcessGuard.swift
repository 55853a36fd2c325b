import Foundation

/// Kills the remaining processes of the tests if the test process itself crashes.
///
/// A shell reads process ids from a pipe, which closes when the test process ends for whatever reason. (The usual
/// means, PR_SET_PDEATHSIG, is not available through posix_spawn and depends on the parent thread, which may end
/// earlier.)
final class ProcessGuard: Sendable {
    static let shared = ProcessGuard()

    private let pipe: Int32

    private static let script = """
        trap '' INT TERM HUP
        groups=
        while read -r sign group; do
            case $sign in
            +) groups="$groups $group" ;;
            -)  rest=
                for each in $groups; do [ "$each" = "$group" ] || rest="$rest $each"; done
                groups=$rest ;;
            esac
        done
        for each in $groups; do kill -s KILL -- "-$each" 2>/dev/null; done
        """

    init?() {
        // If the guard is killed, SIGPIPE must not end the tests.
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
        guard let (_, pipe) = try? Spawned.startReader("/bin/sh", ["-c", Self.script]) else { return nil }
        self.pipe = pipe
    }

    /// Closes the pipe, as the end of the process would.
    deinit {
        close(pipe)
    }

    func watch(_ group: Int32) { send("+ \(group)\n") }

    func forget(_ group: Int32) { send("- \(group)\n") }

    /// A line is shorter than PIPE_BUF, so lines of several threads do not interleave.
    private func send(_ line: String) {
        let bytes = Array(line.utf8)
        _ = write(pipe, bytes, bytes.count)
    }
}
