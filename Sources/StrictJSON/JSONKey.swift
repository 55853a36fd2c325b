import Glibc

/// A member's key, for comparison in a `switch` without creating a `String`.
///
/// It stores its first bytes inline instead of a slice of the text: reference counting on the text for every key and
/// comparison took a third of the time to decode a message.
package struct JSONKey: Sendable {
    /// The number of bytes stored; a key can only be compared with names up to this length. Ours have up to 17 bytes.
    package static let comparableBytes = 24

    let token: JSONScanner.StringToken
    /// The length without escapes.
    private let count: Int
    private let head: InlineArray<24, UInt8>

    init(_ token: JSONScanner.StringToken, in bytes: [UInt8]) {
        self.token = token
        var content = bytes[token.start..<token.end]
        if token.hasEscapes { content = JSONScanner.unescape(content) }
        count = content.count
        var head = InlineArray<24, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &head) { head in
            content.prefix(Self.comparableBytes).withUnsafeBytes { head.copyMemory(from: $0) }
        }
        self.head = head
    }

    /// Compares byte by byte; `"a"` and `"\u0061"` are the same key.
    package static func ~= (name: StaticString, key: JSONKey) -> Bool {
        let length = name.utf8CodeUnitCount
        precondition(length <= comparableBytes, "a key's name must not have more than 24 bytes")
        guard key.count == length else { return false }
        return withUnsafePointer(to: key.head) { memcmp($0, name.utf8Start, length) } == 0
    }

    /// Compares like `~=`, with a name that is built at run time; slower.
    package func equals(_ name: String) -> Bool {
        let name = Array(name.utf8)
        precondition(name.count <= Self.comparableBytes, "a key's name must not have more than 24 bytes")
        guard count == name.count else { return false }
        return withUnsafePointer(to: head) { memcmp($0, name, name.count) } == 0
    }
}

extension JSONScanner {
    /// The keys of an object that has at most this many are compared pairwise: 16 keys need 120 comparisons, mostly of
    /// lengths.
    private static let fewKeys = 16

    func text(of key: JSONKey) -> String { text(of: key.token) }

    /// Returns the start of the first key that equals an earlier key of the same object, byte by byte.
    func firstDuplicate(in tokens: ArraySlice<StringToken>) -> Int? {
        if tokens.count > Self.fewKeys || tokens.contains(where: \.hasEscapes) {
            return firstDuplicateBySorting(tokens)
        }
        for later in tokens.indices {
            for earlier in tokens.startIndex..<later where areEqual(tokens[earlier], tokens[later]) {
                return tokens[later].start
            }
        }
        return nil
    }

    /// Sorts the keys, because an object may have a hundred thousand of them in one megabyte: sorting takes O(n log n)
    /// even for hostile keys (hashes could be made to collide).
    private func firstDuplicateBySorting(_ tokens: ArraySlice<StringToken>) -> Int? {
        let sorted = tokens.map { token in
            let content = bytes[token.start..<token.end]
            return (start: token.start, key: token.hasEscapes ? Self.unescape(content) : content)
        }.sorted { left, right in
            if left.key.count != right.key.count { return left.key.count < right.key.count }
            if left.key.lexicographicallyPrecedes(right.key) { return true }
            if right.key.lexicographicallyPrecedes(left.key) { return false }
            return left.start < right.start
        }
        var first: Int?
        for (earlier, later) in zip(sorted, sorted.dropFirst()) where earlier.key == later.key {
            first = min(first ?? later.start, later.start)
        }
        return first
    }

    private func areEqual(_ left: StringToken, _ right: StringToken) -> Bool {
        guard left.end - left.start == right.end - right.start else { return false }
        for distance in 0..<left.end - left.start where bytes[left.start + distance] != bytes[right.start + distance] {
            return false
        }
        return true
    }
}
