import CHiredis

/// Why bytes are not a reply that we accept.
package struct ReplySyntaxError: Error, Equatable {
    let detail: String
}

/// Turns bytes into replies, with hiredis' reader.
///
/// hiredis tokenizes, and calls back for each token; the callbacks build Swift values right away. The default reply
/// objects of hiredis were tried first and dropped: they double the allocations, and `*2147483647` alone makes them set
/// aside 16 GiB. The callbacks are literals without types, as `createArray` counts in `int` until 0.14 and in `size_t`
/// from 1.0 on.
///
/// Not safe for concurrent use: one owner, the event loop of the connection.
package final class ReplyParser {
    private let reader: UnsafeMutablePointer<redisReader>
    /// hiredis keeps the pointer, so the table must live as long as the reader.
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder = ReplyBuilder()
    private let maximumReplyBytes: Int
    /// Bytes of the reply that is not complete yet, parsed or not.
    private var pendingBytes = 0

    /// An empty buffer larger than this is given back to the system: hiredis' default of 16 KiB would do so after every
    /// read of NIO, which reads up to 64 KiB at a time.
    private static let maximumUnusedBuffer = 256 << 10

    package init(maximumReplyBytes: Int) {
        self.maximumReplyBytes = maximumReplyBytes
        functions = .allocate(capacity: 1)
        functions.initialize(to: redisReplyObjectFunctions())
        functions.pointee.createString = { task, text, length in
            ReplyBuilder.add(task) { (builder, type) throws(ReplySyntaxError) in
                try builder.string(type: type, UnsafeRawBufferPointer(start: text, count: Int(clamping: length)))
            }
        }
        functions.pointee.createArray = { task, count in
            ReplyBuilder.add(task) { (builder, type) throws(ReplySyntaxError) in
                try builder.array(type: type, count: Int(clamping: count))
            }
        }
        functions.pointee.createInteger = { task, number in
            ReplyBuilder.add(task) { (builder, type) throws(ReplySyntaxError) in
                try builder.integer(type: type, Int64(number))
            }
        }
        functions.pointee.createNil = { task in
            ReplyBuilder.add(task) { (builder, type) throws(ReplySyntaxError) in
                try builder.null(type: type)
            }
        }
        functions.pointee.freeObject = { _ in }
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            // As everywhere in Swift, running out of memory ends the process.
            fatalError("out of memory for the reader of Redis replies")
        }
        self.reader = reader
        reader.pointee.maxbuf = Self.maximumUnusedBuffer
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit {
        redisReaderFree(reader)
        functions.deinitialize(count: 1)
        functions.deallocate()
    }

    /// Takes bytes as they come from the socket, cut anywhere.
    package func feed(_ bytes: UnsafeRawBufferPointer) throws(ReplySyntaxError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        pendingBytes += bytes.count
        guard redisReaderFeed(reader, start.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK else {
            throw failure()
        }
    }

    /// The next complete reply, nil when bytes are missing. After an error the parser is of no more use.
    package func next() throws(ReplySyntaxError) -> RedisValue? {
        var token: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &token) == REDIS_OK else { throw failure() }
        // Of a reply that is complete as well: what is refused must not depend on how the network cuts it.
        let rest = token == nil ? 0 : Int(clamping: reader.pointee.len) - Int(clamping: reader.pointee.pos)
        guard pendingBytes - rest <= maximumReplyBytes else {
            throw ReplySyntaxError(detail: "a reply is longer than \(maximumReplyBytes) bytes")
        }
        if token == nil { return nil }
        // A type of RESP3 that hiredis 1.x knows, and for which there is no callback, reaches nobody.
        guard let value = builder.takeFinished() else {
            throw ReplySyntaxError(detail: "a reply has a type that RESP2 does not have")
        }
        pendingBytes = rest
        return value
    }

    private func failure() -> ReplySyntaxError {
        if let error = builder.error { return error }
        let text = withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return ReplySyntaxError(detail: text.isEmpty ? "the reply cannot be parsed" : text)
    }
}

/// Puts the tokens of one reply together. Tokens come in the order of the bytes, so a stack of unfinished arrays says
/// where each belongs, and nothing has to be handed through hiredis and back.
private final class ReplyBuilder {
    private struct UnfinishedArray {
        var elements: [RedisValue]
        var missing: Int
    }

    private var stack: [UnfinishedArray] = []
    private var finished: RedisValue?
    private(set) var error: ReplySyntaxError?

    /// Arrays in arrays. hiredis 0.14 stops there by itself, later ones do not stop. XREADGROUP needs 5, XINFO STREAM
    /// FULL 7.
    private static let maximumDepth = 8
    /// Set aside before the elements have come; whoever announces more gets it as they come.
    private static let maximumReserve = 4_096

    /// The body of a callback. Its result is not an object, only "go on" (anything) or "stop" (nil).
    static func add(
        _ task: UnsafePointer<redisReadTask>?, _ body: (ReplyBuilder, Int32) throws(ReplySyntaxError) -> Void
    ) -> UnsafeMutableRawPointer? {
        guard let task, let itself = task.pointee.privdata else { return nil }
        let builder = Unmanaged<ReplyBuilder>.fromOpaque(itself).takeUnretainedValue()
        do {
            try body(builder, Int32(task.pointee.type))
            return itself
        } catch {
            builder.error = error
            return nil
        }
    }

    func takeFinished() -> RedisValue? {
        defer { finished = nil }
        return stack.isEmpty ? finished : nil
    }

    func string(type: Int32, _ bytes: UnsafeRawBufferPointer) throws(ReplySyntaxError) {
        switch type {
        case REDIS_REPLY_STRING: append(.bulk([UInt8](bytes)))
        case REDIS_REPLY_STATUS: append(.simple(String(decoding: bytes, as: UTF8.self)))
        case REDIS_REPLY_ERROR: append(.error(RedisReplyError(message: String(decoding: bytes, as: UTF8.self))))
        default: throw Self.unknown(type)
        }
    }

    func integer(type: Int32, _ number: Int64) throws(ReplySyntaxError) {
        guard type == REDIS_REPLY_INTEGER else { throw Self.unknown(type) }
        append(.integer(number))
    }

    func null(type: Int32) throws(ReplySyntaxError) {
        // A length of -1 keeps the type of what is not there; NIL itself is the null of RESP3.
        guard type == REDIS_REPLY_STRING || type == REDIS_REPLY_ARRAY else { throw Self.unknown(type) }
        append(.null)
    }

    func array(type: Int32, count: Int) throws(ReplySyntaxError) {
        guard type == REDIS_REPLY_ARRAY, count >= 0 else { throw Self.unknown(type) }
        guard stack.count < Self.maximumDepth else {
            throw ReplySyntaxError(detail: "a reply nests arrays more than \(Self.maximumDepth) deep")
        }
        if count == 0 { return append(.array([])) }
        var array = UnfinishedArray(elements: [], missing: count)
        array.elements.reserveCapacity(min(count, Self.maximumReserve))
        stack.append(array)
    }

    private func append(_ value: RedisValue) {
        var value = value
        while let last = stack.indices.last {
            stack[last].elements.append(value)
            stack[last].missing -= 1
            if stack[last].missing > 0 { return }
            value = .array(stack.removeLast().elements)
        }
        finished = value
    }

    private static func unknown(_ type: Int32) -> ReplySyntaxError {
        ReplySyntaxError(detail: "a reply has a type that RESP2 does not have (hiredis: \(type))")
    }
}
