import Foundation
import TestSupport

/// A disk of a few MiB that can be filled: a tmpfs, which only root can mount.
final class SmallDisk: Sendable {
    let path: String

    private init(path: String) {
        self.path = path
    }

    /// `nil` if none can be mounted; the folder is an ordinary one then.
    static func mount(at path: String, bytes: Int) async throws -> SmallDisk? {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard getuid() == 0 else { return nil }
        let mounting = try ChildProcess("mount", ["-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path])
        guard try await mounting.waitForEnding() == .exited(0) else { return nil }
        return SmallDisk(path: path)
    }

    private var ballast: String { "\(path)/ballast" }

    /// Takes all free space, including space that is freed in the meantime.
    func fill() {
        let file = open(ballast, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        for size in [1 << 20, 1 << 12, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while write(file, block, size) == size {}
        }
    }

    /// Keeps it full until the time is over: space freed by a checkpoint is taken, too.
    func keepFull(for time: Duration) async {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            fill()
            try? await Task.sleep(for: .milliseconds(20))
        }
        empty()
    }

    func empty() { unlink(ballast) }

    func unmount() async {
        _ = try? await ChildProcess("umount", ["-l", path]).waitForEnding()
    }
}
