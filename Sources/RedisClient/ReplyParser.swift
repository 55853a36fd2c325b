import CHiredis

/// Parses bytes into replies, with hiredis' reader.
///
/// hiredis tokenizes and invokes a callback for each token, which appends it to a list. We do not use hiredis' reply
/// objects: they take one allocation per value, and the input `*2147483647` alone makes hiredis allocate 16 GiB. The
/// closures are untyped because `createArray` takes `int` up to 0.14 and `size_t` since 1.0.
///
/// Not safe for concurrent use: owned by the connection's event loop.
package final class ReplyParser {
    private let reader: UnsafeMutablePointer<redisReader>
    /// hiredis keeps the pointer, so the table must live as long as the reader.
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder = ReplyBuilder()
    let maximumReplyBytes: Int
    /// Bytes of the incomplete reply, parsed or not.
    private var pendingBytes = 0

    /// An empty buffer larger than this is freed. With hiredis' default of 16 KiB that would happen after every read of
    /// NIO, which reads up to 64 KiB at a time.
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

    /// Adds bytes received from the socket, split anywhere.
    package func feed(_ bytes: UnsafeRawBufferPointer) throws(ReplySyntaxError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        pendingBytes += bytes.count
        guard redisReaderFeed(reader, start.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK else {
            throw failure()
        }
    }

    /// The next complete reply; nil if bytes are missing. The parser must not be used after an error.
    package func next() throws(ReplySyntaxError) -> FlatReply? {
        var token: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &token) == REDIS_OK else { throw failure() }
        // A complete reply is checked as well: whether it is refused must not depend on how the network splits it.
        let rest = token == nil ? 0 : Int(clamping: reader.pointee.len) - Int(clamping: reader.pointee.pos)
        guard pendingBytes - rest <= maximumReplyBytes else {
            throw ReplySyntaxError(detail: "a reply is longer than \(maximumReplyBytes) bytes", isTooLarge: true)
        }
        if token == nil { return nil }
        // RESP3 types that hiredis 1.x parses, but for which there is no callback, never reach the builder.
        guard let reply = builder.takeFinished() else {
            throw ReplySyntaxError(detail: "a reply has a type that RESP2 does not have")
        }
        pendingBytes = rest
        return reply
    }

    private func failure() -> ReplySyntaxError {
        if let error = builder.error { return error }
        let text = withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return ReplySyntaxError(detail: text.isEmpty ? "the reply cannot be parsed" : text)
    }
}

/// Collects the tokens of one reply, in the order of the bytes.
private final class ReplyBuilder {
    private var tokens: [FlatReply.Token] = []
    private var bytes: [UInt8] = []
    /// The number of missing elements of each incomplete array, the innermost last.
    private var missing: [Int] = []
    private var isFinished = false
    private(set) var error: ReplySyntaxError?

    /// Maximum nesting of arrays. hiredis 0.14 has its own limit, later versions do not. XREADGROUP needs 5, XINFO
    /// STREAM FULL 7.
    private static let maximumDepth = 8
    /// From this size on, a reply is copied if much of its capacity is unused.
    private static let largeReply = 64 << 10

    /// The body of a callback. Its result is not an object, only "continue" (non-nil) or "stop" (nil).
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

    func takeFinished() -> FlatReply? {
        guard isFinished else { return nil }
        defer {
            tokens = []
            bytes = []
            isFinished = false
        }
        let isWasteful = bytes.count >= Self.largeReply && bytes.capacity > bytes.count + bytes.count / 8
        return FlatReply(tokens: tokens, bytes: isWasteful ? bytes.withUnsafeBytes { [UInt8]($0) } : bytes)
    }

    func string(type: Int32, _ text: UnsafeRawBufferPointer) throws(ReplySyntaxError) {
        let kind: FlatReply.Kind
        switch type {
        case REDIS_REPLY_STRING: kind = .bulk
        case REDIS_REPLY_STATUS: kind = .simple
        case REDIS_REPLY_ERROR: kind = .error
        default: throw Self.unknown(type)
        }
        guard bytes.count + text.count <= UInt32.max else {
            throw ReplySyntaxError(detail: "a reply has more than 4 GiB of strings")
        }
        append(FlatReply.Token(kind: kind, start: UInt32(bytes.count), number: Int64(text.count)))
        bytes.append(contentsOf: text)
    }

    func integer(type: Int32, _ number: Int64) throws(ReplySyntaxError) {
        guard type == REDIS_REPLY_INTEGER else { throw Self.unknown(type) }
        append(FlatReply.Token(kind: .integer, number: number))
    }

    func null(type: Int32) throws(ReplySyntaxError) {
        // A length of -1 keeps the type of the missing value; NIL itself is the null of RESP3.
        guard type == REDIS_REPLY_STRING || type == REDIS_REPLY_ARRAY else { throw Self.unknown(type) }
        append(FlatReply.Token(kind: .null))
    }

    func array(type: Int32, count: Int) throws(ReplySyntaxError) {
        guard type == REDIS_REPLY_ARRAY, count >= 0 else { throw Self.unknown(type) }
        guard missing.count < Self.maximumDepth else {
            throw ReplySyntaxError(detail: "a reply nests arrays more than \(Self.maximumDepth) deep")
        }
        let token = FlatReply.Token(kind: .array, number: Int64(count))
        if count == 0 { return append(token) }
        tokens.append(token)
        missing.append(count)
    }

    /// Appends a complete value, which may complete the arrays whose last element it is.
    private func append(_ token: FlatReply.Token) {
        tokens.append(token)
        while let innermost = missing.indices.last {
            missing[innermost] -= 1
            if missing[innermost] > 0 { return }
            missing.removeLast()
        }
        isFinished = true
    }

    private static func unknown(_ type: Int32) -> ReplySyntaxError {
        ReplySyntaxError(detail: "a reply has a type that RESP2 does not have (hiredis: \(type))")
    }
}
