import Foundation

/// Kills what is left of the tests' processes when the test process itself crashes.
///
/// A shell reads the numbers of processes from a pipe; the pipe ends with the test process, however that ends. (The
/// usual means, PR_SET_PDEATHSIG, cannot be had through posix_spawn and looks at threads, which come and go.)
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
        // A guard that was killed must not take the tests with it.
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
        guard let (_, pipe) = try? Spawned.startReader("/bin/sh", ["-c", Self.script]) else { return nil }
        self.pipe = pipe
    }

    /// As the end of the process does.
    deinit {
        close(pipe)
    }

    func watch(_ group: Int32) { send("+ \(group)\n") }

    func forget(_ group: Int32) { send("- \(group)\n") }

    /// Shorter than PIPE_BUF, so lines of several threads do not mix.
    private func send(_ line: String) {
        let bytes = Array(line.utf8)
        _ = write(pipe, bytes, bytes.count)
    }
}
