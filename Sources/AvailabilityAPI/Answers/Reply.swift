import HTTPTypes
import Hummingbird
import Inventory

/// A successful answer with figures: where they come from, which state they are, and what was asked.
struct Reply {
    let moment: Moment
    /// Members after `as_of`, without the braces around the whole.
    let members: ByteBuffer

    /// Writes the members one after another into one buffer.
    init(_ moment: Moment, _ write: (inout ByteBuffer) -> Void) {
        self.moment = moment
        var members = ByteBuffer()
        write(&members)
        self.members = members
    }

    /// `{"source":…,"epoch":…,"seq":…,"as_of":…,` and the members, which have to follow.
    static func writeHead(_ moment: Moment, into buffer: inout ByteBuffer) {
        buffer.writeStaticString(#"{"source":""#)
        buffer.writeString(moment.source.rawValue)
        buffer.writeStaticString(#"","epoch":"#)
        buffer.writeNumber(moment.epoch)
        buffer.writeStaticString(#","seq":"#)
        buffer.writeNumber(moment.seq)
        buffer.writeStaticString(#","as_of":""#)
        buffer.writeString(moment.asOf)
        buffer.writeStaticString("\",")
    }

    var body: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(members.readableBytes + 160)
        Self.writeHead(moment, into: &buffer)
        buffer.writeImmutableBuffer(members)
        buffer.writeStaticString("}")
        return buffer
    }

    /// Weak: the figures are the same, though `seq` and `as_of` may have gone on. The same from every process.
    var entityTag: String {
        "W/\"\(moment.source == .ledger ? "l" : "r")\(String(Self.fingerprint(members), radix: 16))\""
    }

    /// FNV-1a, 64 bits.
    static func fingerprint(_ buffer: ByteBuffer) -> UInt64 {
        buffer.readableBytesView.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    /// 200, or, to a request that only reads, 304 where the client has these figures already.
    func response(to request: Request) -> Response {
        let tag = entityTag
        var headers = HTTPFields()
        headers[.eTag] = tag
        // A shared cache may keep it, and has to ask each time.
        headers[.cacheControl] = "no-cache"
        if request.method != .post, Self.matches(request.headers[.ifNoneMatch], tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/json"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
    }

    /// Weak comparison: with or without `W/` makes no difference.
    static func matches(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { candidate in
            let candidate = candidate.drop { $0 == " " || $0 == "\t" }
            let text = candidate.prefix { $0 != " " && $0 != "\t" }
            return text == "*" || text == tag || text == tag.dropFirst(2)
        }
    }
}
