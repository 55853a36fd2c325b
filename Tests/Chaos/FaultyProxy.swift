import Foundation
import Synchronization
import TestSupport

/// A proxy on a unix socket between consumers and Redis that disturbs traffic as networks do.
final class FaultyProxy: Sendable {
    /// A fault of one connection.
    enum Misdeed: Sendable {
        /// Both ends are closed.
        case cut
        /// The next reply is cut off after this many bytes, and the connection closes.
        case cutReply(bytes: Int)
        /// The next reply is dropped after the command was executed, and the connection closes.
        case swallowReply
        /// Replies are delayed by this time, once.
        case delay(Duration)
        /// Nothing passes, in either direction.
        case hang(Duration)
        /// Replies arrive one byte at a time.
        case trickle(Duration)
        /// The consumer's end is closed; Redis does not learn of it for a while.
        case halfOpen(Duration)
    }

    let path: String
    private let upstream: String
    private let listener: Int32
    private let state = Mutex(State())

    private struct State {
        var links: [Int: ProxyLink] = [:]
        var next = 0
        var refusesUntil = ContinuousClock.now
        var hangsUntil = ContinuousClock.now
        var isClosed = false
    }

    init(at path: String, to upstream: String) throws {
        self.path = path
        self.upstream = upstream
        listener = try UnixSocket.listen(at: path)
        Thread.detachNewThread { [self] in accept() }
    }

    func close() {
        let links = state.withLock { state in
            state.isClosed = true
            return Array(state.links.values)
        }
        shutdown(listener, Int32(SHUT_RDWR))
        for link in links { link.suffer(.cut) }
    }

    /// The number of connections.
    var count: Int { state.withLock { $0.links.count } }

    /// Applies it to the connection with this number, modulo their count; returns false if there is none.
    func commit(_ misdeed: Misdeed, at choice: Int) -> Bool {
        let link = state.withLock { state in
            let numbers = state.links.keys.sorted()
            return numbers.isEmpty ? nil : state.links[numbers[choice % numbers.count]]
        }
        link?.suffer(misdeed)
        return link != nil
    }

    /// Applies it to all connections.
    func commit(_ misdeed: Misdeed) {
        for link in state.withLock({ Array($0.links.values) }) { link.suffer(misdeed) }
    }

    /// Closes new connections immediately for a while.
    func refuse(for duration: Duration) { state.withLock { $0.refusesUntil = .now + duration } }

    /// Blocks all connections for a while, including new ones.
    func hang(for duration: Duration) {
        state.withLock { $0.hangsUntil = .now + duration }
        commit(.hang(duration))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            if client < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            let refuses = state.withLock { $0.isClosed || $0.refusesUntil > .now }
            guard !refuses, let server = try? UnixSocket.connect(to: upstream) else {
                Glibc.close(client)
                continue
            }
            let link = ProxyLink(client: client, server: server)
            let number = state.withLock { state in
                let hangs = state.hangsUntil - .now
                if hangs > .zero { link.suffer(.hang(hangs)) }
                state.next += 1
                state.links[state.next] = link
                return state.next
            }
            Thread.detachNewThread { [self] in
                link.run()
                _ = state.withLock { $0.links.removeValue(forKey: number) }
            }
        }
        Glibc.close(listener)
    }
}

/// Nonblocking sockets.
enum UnixSocket {
    static func listen(at path: String) throws -> Int32 {
        let descriptor = try make()
        guard with(path, { bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 64) == 0 else {
            throw TestSupportError("cannot listen on \(path): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    static func connect(to path: String) throws -> Int32 {
        let descriptor = try make()
        guard with(path, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw TestSupportError("cannot connect to \(path): \(reason)")
        }
        return descriptor
    }

    private static func make() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("no socket: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    private static func with(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { target in target.copyBytes(from: path.utf8.prefix(107)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
