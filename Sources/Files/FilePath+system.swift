import Glibc

/// System calls that take a path as its bytes. They return the system's result: -1 on failure, with the cause in
/// `errno`.
extension FilePath {
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) -> Int32 {
        withCString(path) { Glibc.open($0, flags | O_CLOEXEC, mode) }
    }

    /// Reads the whole file; nil if it cannot be read.
    package static func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return contents(of: descriptor)
    }

    /// Reads the rest of the file; nil if it cannot be read.
    package static func contents(of descriptor: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Returns the status of the file at the path, following links; nil if it cannot be determined.
    package static func status(of path: String) -> stat? {
        var status = stat()
        return withCString(path) { stat($0, &status) } == 0 ? status : nil
    }

    /// Returns the status of the path without following a link.
    package static func statusOfLink(_ path: String) -> stat? {
        var status = stat()
        return withCString(path) { lstat($0, &status) } == 0 ? status : nil
    }

    package static func fileSystem(at path: String) -> statvfs? {
        var status = statvfs()
        return withCString(path) { statvfs($0, &status) } == 0 ? status : nil
    }

    /// Returns the path with links resolved; nil if the file does not exist.
    package static func resolved(_ path: String) -> String? {
        guard let resolved = withCString(path, { realpath($0, nil) }) else { return nil }
        defer { free(resolved) }
        return text(resolved)
    }

    package static func access(_ path: String, _ mode: Int32) -> Int32 {
        withCString(path) { Glibc.access($0, mode) }
    }

    @discardableResult
    package static func makeFolder(_ path: String, mode: mode_t) -> Int32 {
        withCString(path) { mkdir($0, mode) }
    }

    @discardableResult
    package static func unlink(_ path: String) -> Int32 {
        withCString(path) { Glibc.unlink($0) }
    }

    package static func link(_ path: String, to second: String) -> Int32 {
        withCString(path) { path in withCString(second) { Glibc.link(path, $0) } }
    }

    package static func rename(_ path: String, to other: String) -> Int32 {
        withCString(path) { path in withCString(other) { Glibc.rename(path, $0) } }
    }

    /// The maximum length of a socket's path: `sun_path` has 108 bytes, the last of which is 0.
    package static let maximumSocketBytes = 107

    /// Returns the address of a unix socket; nil if the path is longer than the system allows.
    package static func socketAddress(_ path: String) -> sockaddr_un? {
        let bytes = bytes(path)
        guard bytes.count <= maximumSocketBytes else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }
}

extension stat {
    /// Returns whether both describe the same file, whatever its names.
    package func isSameFile(as other: stat) -> Bool { st_ino == other.st_ino && st_dev == other.st_dev }
}
