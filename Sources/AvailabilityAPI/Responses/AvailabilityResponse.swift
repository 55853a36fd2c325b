import HTTPTypes
import Hummingbird
import Domain
import NIOCore

/// A successful response with availability: its source, its snapshot version and the requested members.
struct AvailabilityResponse: Sendable {
    let body: ByteBuffer
    /// A weak tag: it stays the same while the availability does, even if `seq` and `as_of` have advanced. Every
    /// process produces the same tag.
    let entityTag: String

    /// - Parameter write: writes the members after `as_of`, without the enclosing braces.
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

    /// A variant of FNV-1a that takes eight bytes per step: with one byte per step, hashing dominated the time of a
    /// long list.
    static func fingerprint(_ bytes: ByteBufferView) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ word: UInt64) {
            hash = (hash ^ word) &* 0x0000_0100_0000_01B3
            // The low bits of a product do not depend on the high bits of its factors.
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

    /// 200, or 304 if the client already has this availability.
    /// - Parameter known: the `If-None-Match` field of a GET or HEAD request.
    func buffered(unless known: String?) -> BufferedResponse {
        var headers = HTTPFields()
        headers[.eTag] = entityTag
        // A shared cache may store the response but must revalidate it each time.
        headers[.cacheControl] = "no-cache"
        if let known, Self.matches(known, entityTag) { return BufferedResponse(.notModified, headers) }
        headers[.contentType] = "application/json"
        return BufferedResponse(.ok, headers, body)
    }

    func response(to request: Request) -> Response {
        buffered(unless: request.method == .post ? nil : request.headers[.ifNoneMatch]).response
    }

    /// Compares tags weakly: `W/` is ignored.
    static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { candidate in
            let candidate = candidate.drop { $0 == " " || $0 == "\t" }
            let text = candidate.prefix { $0 != " " && $0 != "\t" }
            return text == "*" || text == tag || text == tag.dropFirst(2)
        }
    }
}
