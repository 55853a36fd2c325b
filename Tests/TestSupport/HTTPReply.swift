/// A server's response.
package struct HTTPReply: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    /// All values of a header, joined as RFC 9110 allows; nil if the header is missing.
    package subscript(_ name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The media type without its parameters.
    package var mediaType: String? { self["content-type"]?.split(separator: ";").first.map(String.init) }
}

/// Parses one HTTP/1.1 response incrementally, without I/O. It is written for tests: it accepts nothing that a server
/// must not send, and exposes the body while it is being received.
struct HTTPReplyReader {
    private enum Framing: Equatable {
        case length(Int)
        case chunked
        /// The rest of a chunk: this many bytes, then the end of a line.
        case chunk(Int)
        case untilEnd
    }

    /// Set once the head is complete; the body grows.
    private(set) var reply: HTTPReply?
    private(set) var isComplete = false
    /// The bytes of the next response, once this response is complete.
    private(set) var unread: [UInt8] = []
    private let answersHEAD: Bool
    private var framing = Framing.untilEnd

    init(answersHEAD: Bool) {
        self.answersHEAD = answersHEAD
    }

    mutating func feed(_ bytes: [UInt8]) throws {
        unread += bytes
        while try step() {}
    }

    /// Signals the end of the connection.
    mutating func end() throws {
        guard !isComplete else { return }
        guard reply != nil, framing == .untilEnd else {
            throw TestSupportError("the connection ended in a response: \(reply.map { "\($0.status)" } ?? "no head")")
        }
        isComplete = true
    }

    /// Parses one element, and returns whether there were enough bytes for it.
    private mutating func step() throws -> Bool {
        if isComplete { return false }
        guard reply != nil else { return try readHead() }
        switch framing {
        case .untilEnd:
            defer { unread = [] }
            return take(unread.count)
        case .length(let left):
            let count = min(left, unread.count)
            _ = take(count)
            framing = .length(left - count)
            isComplete = left == count
            return count > 0
        case .chunked:
            guard let line = takeLine() else { return false }
            guard let size = Int(line.split(separator: ";")[0], radix: 16) else {
                throw TestSupportError("“\(line)” is not the size of a chunk")
            }
            framing = .chunk(size)
            return true
        case .chunk(let size):
            guard unread.count >= size + 2 else { return false }
            guard unread[size] == 13, unread[size + 1] == 10 else {
                throw TestSupportError("a chunk is longer than its size")
            }
            _ = take(size)
            unread.removeFirst(2)
            framing = .chunked
            isComplete = size == 0
            return true
        }
    }

    private mutating func readHead() throws -> Bool {
        guard let end = unread.firstRange(of: [13, 10, 13, 10]) else { return false }
        var lines = String(decoding: unread[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        unread.removeSubrange(..<end.upperBound)
        let first = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard first.count >= 2, ["HTTP/1.1", "HTTP/1.0"].contains(first[0]), let status = Int(first[1]) else {
            throw TestSupportError("“\(first.joined(separator: " "))” is not a response of HTTP/1")
        }
        // After 100 Continue the response follows, unless the test waits for this status itself.
        if status < 200, !answersHEAD { return true }
        let headers = try lines.map { line in
            guard let colon = line.firstIndex(of: ":") else { throw TestSupportError("“\(line)” is not a header") }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return (name: String(line[..<colon]), value: String(value))
        }
        let reply = HTTPReply(status: status, headers: headers, body: [])
        self.reply = reply
        if answersHEAD || status == 204 || status == 304 {
            isComplete = true
        } else if reply["transfer-encoding"]?.lowercased() == "chunked" {
            framing = .chunked
        } else if let length = reply["content-length"] {
            guard let bytes = Int(length) else { throw TestSupportError("“\(length)” is not a length") }
            framing = .length(bytes)
            isComplete = bytes == 0
        }
        return true
    }

    private mutating func take(_ count: Int) -> Bool {
        reply?.body += unread[..<count]
        unread.removeFirst(count)
        return count > 0
    }

    private mutating func takeLine() -> String? {
        guard let end = unread.firstRange(of: [13, 10]) else { return nil }
        defer { unread.removeSubrange(..<end.upperBound) }
        return String(decoding: unread[..<end.lowerBound], as: UTF8.self)
    }

    /// Removes and returns the body received so far; the next call continues after it.
    mutating func takeBody() -> [UInt8] {
        defer { reply?.body = [] }
        return reply?.body ?? []
    }
}
