import HTTPTypes
import Hummingbird
import Domain
import NIOCore

/// A successful answer with figures: where they come from, which state they are, and what was asked.
struct AvailabilityResponse: Sendable {
    let body: ByteBuffer
    /// Weak: the figures are the same, though `seq` and `as_of` may have gone on. The same from every process.
    let entityTag: String

    /// - Parameter write: writes the members after `as_of`, without the braces around the whole.
    init(_ version: SnapshotVersion, _ write: (inout ByteBuffer) -> Void) {
        var body = ByteBuffer()
        version.writeHead(into: &body)
        let members = body.writerIndex
        write(&body)
        let fingerprint = String(Self.fingerprint(body.readableBytesView[members...]), radix: 16)
        entityTag = "W/\"\(version.source == .ledger ? "l" : "r")\(fingerprint)\""
        body.writeStaticString("}")
        self.body = body
    }

    /// In the manner of FNV-1a, but eight bytes a step: a byte a step took most of the time of a long list.
    static func fingerprint(_ bytes: ByteBufferView) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ word: UInt64) {
            hash = (hash ^ word) &* 0x0000_0100_0000_01B3
            // A product's low bits know nothing of its factors' high ones.
            hash ^= hash >> 29
        }
        bytes.withUnsafeBytes { bytes in
            let words = bytes.count / 8
            for word in 0..<words {
                add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)))
            }
            for byte in bytes[(8 * words)...] { add(UInt64(byte)) }
        }
        return hash
    }

    /// 200, or 304 where the client has these figures already.
    /// - Parameter known: the field `If-None-Match` of a request that reads.
    func buffered(unless known: String?) -> BufferedResponse {
        var headers = HTTPFields()
        headers[.eTag] = entityTag
        // A shared cache may keep it, and has to ask each time.
        headers[.cacheControl] = "no-cache"
        if let known, Self.matches(known, entityTag) { return BufferedResponse(.notModified, headers) }
        headers[.contentType] = "application/json"
        return BufferedResponse(.ok, headers, body)
    }

    func response(to request: Request) -> Response {
        buffered(unless: request.method == .post ? nil : request.headers[.ifNoneMatch]).response
    }

    /// Weak comparison: with or without `W/` makes no difference.
    static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { candidate in
            let candidate = candidate.drop { $0 == " " || $0 == "\t" }
            let text = candidate.prefix { $0 != " " && $0 != "\t" }
            return text == "*" || text == tag || text == tag.dropFirst(2)
        }
    }
}
