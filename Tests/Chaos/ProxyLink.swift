import Foundation
import Synchronization

/// One connection through the proxy, served by a separate thread.
///
/// When the consumer's end closes, the bytes it had sent are forwarded and Redis' end is closed at once: a Redis that
/// still served a dead connection would be the fault `halfOpen`, and nothing else may cause that.
final class ProxyLink: Sendable {
    private let client: Int32
    private let server: Int32
    private let misdeeds = Mutex([FaultyProxy.Misdeed]())

    private static let pollMilliseconds: Int32 = 5
    /// POLLRDHUP, which Swift's Glibc lacks: the other end has closed.
    private static let hangUp: Int32 = 0x2000
    private static let chunk = 64 << 10
    private static let maximumBuffered = 4 << 20

    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
        for descriptor in [client, server] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    func suffer(_ misdeed: FaultyProxy.Misdeed) { misdeeds.withLock { $0.append(misdeed) } }

    private struct Flow {
        var up: [UInt8] = []
        var down: [UInt8] = []
        var hangsUntil: ContinuousClock.Instant?
        var delay: Duration?
        var repliesHeldUntil: ContinuousClock.Instant?
        var tricklesUntil: ContinuousClock.Instant?
        var replyBytesLeft: Int?
        var isTruncated = false
        var outlives: Duration?
    }

    func run() {
        var flow = Flow()
        while !flow.isTruncated {
            begin(&flow)
            if flow.isTruncated || flow.outlives != nil { break }
            if !pass(&flow) { break }
        }
        if let time = flow.outlives {
            close(client)
            outlive(time)
            close(server)
        } else {
            // Redis' end first: it must not serve a connection whose other end has moved on.
            close(server)
            close(client)
        }
    }

    private func begin(_ flow: inout Flow) {
        for misdeed in misdeeds.withLock({ all in
            defer { all = [] }
            return all
        }) {
            switch misdeed {
            case .cut: flow.isTruncated = true
            case .cutReply(let bytes): flow.replyBytesLeft = bytes
            case .swallowReply: flow.replyBytesLeft = 0
            case .delay(let time): flow.delay = time
            case .hang(let time): flow.hangsUntil = .now + time
            case .trickle(let time): flow.tricklesUntil = .now + time
            case .halfOpen(let time): flow.outlives = time
            }
        }
    }

    /// One round of polling and forwarding; returns false when an end has closed.
    private func pass(_ flow: inout Flow) -> Bool {
        let now = ContinuousClock.now
        let hangs = flow.hangsUntil.map { $0 > now } ?? false
        let holds = hangs || (flow.repliesHeldUntil.map { $0 > now } ?? false)
        var clientEvents = Self.hangUp
        var serverEvents: Int32 = 0
        if !hangs, flow.up.count < Self.maximumBuffered { clientEvents |= Int32(POLLIN) }
        if !hangs, flow.down.count < Self.maximumBuffered { serverEvents |= Int32(POLLIN) }
        if !holds, !flow.down.isEmpty { clientEvents |= Int32(POLLOUT) }
        if !hangs, !flow.up.isEmpty { serverEvents |= Int32(POLLOUT) }
        var ends = [
            pollfd(fd: client, events: Int16(clientEvents), revents: 0),
            pollfd(fd: server, events: Int16(serverEvents), revents: 0),
        ]
        poll(&ends, 2, Self.pollMilliseconds)
        func has(_ end: Int, _ events: Int32...) -> Bool { events.contains { Int32(ends[end].revents) & $0 != 0 } }

        if has(0, Self.hangUp, Int32(POLLHUP), Int32(POLLERR)) {
            // Sent before it closed, so already on its way.
            while receive(from: client, into: &flow.up) ?? 0 > 0 {}
            send(&flow.up, to: server)
            return false
        }
        if has(0, Int32(POLLIN)) { _ = receive(from: client, into: &flow.up) }
        if has(1, Int32(POLLIN), Int32(POLLHUP), Int32(POLLERR)), !hangs {
            let before = flow.down.count
            let end = receive(from: server, into: &flow.down)
            if flow.down.count > before, let delay = flow.delay {
                flow.repliesHeldUntil = .now + delay
                flow.delay = nil
            }
            if end == nil {
                send(&flow.down, to: client)
                return false
            }
        }
        if !hangs { send(&flow.up, to: server) }
        if !holds { answer(&flow) }
        return true
    }

    private func answer(_ flow: inout Flow) {
        if let left = flow.replyBytesLeft, !flow.down.isEmpty {
            flow.down = Array(flow.down.prefix(left))
            send(&flow.down, to: client)
            flow.isTruncated = true
            return
        }
        if let until = flow.tricklesUntil, until > .now {
            var byte = Array(flow.down.prefix(1))
            if byte.isEmpty { return }
            send(&byte, to: client)
            if byte.isEmpty { flow.down.removeFirst() }
            return
        }
        send(&flow.down, to: client)
    }

    /// - Returns: The number of bytes received; `nil` when the end has closed.
    private func receive(from descriptor: Int32, into buffer: inout [UInt8]) -> Int? {
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count > 0 {
            buffer += chunk[..<count]
            return count
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : nil
    }

    private func send(_ buffer: inout [UInt8], to descriptor: Int32) {
        var sent = 0
        while sent < buffer.count {
            let count = buffer.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            sent += count
        }
        buffer.removeFirst(sent)
    }

    /// Redis keeps writing to a dead connection.
    private func outlive(_ time: Duration) {
        let end = ContinuousClock.now + time
        var nowhere: [UInt8] = []
        while ContinuousClock.now < end {
            var ends = [pollfd(fd: server, events: Int16(POLLIN), revents: 0)]
            poll(&ends, 1, 50)
            nowhere = []
            if receive(from: server, into: &nowhere) == nil { return }
        }
    }
}
