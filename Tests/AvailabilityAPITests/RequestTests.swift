import HTTPTypes
import Hummingbird
import HummingbirdCore
import Domain
import NIOCore
import Testing

@testable import AvailabilityAPI

/// Paths, tags and tokens in requests.
@Suite struct RequestTests {
    private func request(_ path: String = "/", authority: String? = "127.0.0.1:1", _ headers: HTTPFields = [:])
        -> Request
    {
        Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: authority, path: path, headerFields: headers),
            body: .init(buffer: ByteBuffer()))
    }

    private func status(_ body: () throws -> Void) -> Int? {
        do {
            try body()
            return nil
        } catch {
            return Problem(error).status.code
        }
    }

    // MARK: - Paths

    @Test("Percent-encoding is decoded once, and byte by byte")
    func decoding() throws {
        #expect(try RequestTarget.decoded("a%2Fb%20c%252F+%C3%A4") == "a/b c%2F+ä")
        #expect(try RequestTarget.decoded("a+b%2Bc", plusIsSpace: true) == "a b+c")
        for wrong in ["%", "%2", "%2G", "a%", "%ff", "%C3"] {
            #expect(status { _ = try RequestTarget.decoded(wrong[...]) } == 400, "\(wrong)")
        }
    }

    @Test("Parameters are read by name; a misspelt one is rejected, not ignored")
    func parameters() throws {
        let target = RequestTarget("/v1/products?limit=2&category=a%26b&&after=")
        #expect(
            try target.parameters(single: ["limit", "category", "after"]) == [
                "limit": ["2"], "category": ["a&b"], "after": [""],
            ])
        #expect(target.path == "/v1/products")
        #expect(status { _ = try RequestTarget("/?avail=1").parameters(single: ["available"]) } == 400)
        #expect(status { _ = try RequestTarget("/?a=1&a=2").parameters(single: ["a"]) } == 400)
        #expect(try RequestTarget("/?a=1&a=2").parameters(repeated: ["a"]) == ["a": ["1", "2"]])
    }

    @Test("1 to 200 products may be named, each counted once")
    func products() throws {
        let many = (1...200).map { "product=p\($0)" }.joined(separator: "&")
        #expect(try RequestTarget("/?\(many)&product=p7").products().count == 200)
        #expect(status { _ = try RequestTarget("/?\(many)&product=p201").products() } == 400)
        #expect(status { _ = try RequestTarget("/").products() } == 400)
    }

    // MARK: - Tags

    private func reply(_ text: String, seq: Int64 = 1, source: SnapshotVersion.Source = .redis) -> AvailabilityResponse
    {
        AvailabilityResponse(SnapshotVersion(source: source, epoch: 1, seq: seq, catalogue: 1, asOf: "t\(seq)")) {
            $0.writeString(text)
        }
    }

    @Test("A tag identifies the availability and its source, but not the time")
    func tags() {
        let tag = reply("x").entityTag
        #expect(tag.hasPrefix("W/\""))
        #expect(reply("x", seq: 2).entityTag == tag)
        #expect(reply("y").entityTag != tag)
        #expect(reply("x", source: .ledger).entityTag != tag)
        for field in [tag, String(tag.dropFirst(2)), "*", "\"a\" , \(tag)", "\"a\",\(tag), \"b\""] {
            #expect(reply("x").response(to: request([.ifNoneMatch: field])).status == .notModified, "\(field)")
        }
        for field in ["\"a\"", "", String(tag.dropLast(2)) + "\""] {
            #expect(reply("x").response(to: request([.ifNoneMatch: field])).status == .ok, "\(field)")
        }
    }

    private func request(_ headers: HTTPFields) -> Request { request("/", headers) }

    // MARK: - The operator

    private let metrics = Route("/metrics", get: { _, _, _ in Response(status: .ok) })
    private let health = Route("/healthz", get: { _, _, _ in Response(status: .ok) })

    @Test("Without a token, only requests for this machine's names are answered")
    func loopbackNames() {
        let access = OperatorAccess(token: nil)
        for name in ["127.0.0.1:8081", "localhost", "LOCALHOST:1", "[::1]:8081"] {
            #expect(status { try access.admit(request(authority: name), metrics) } == nil, "\(name)")
        }
        for name in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8081", nil] {
            #expect(status { try access.admit(request(authority: name), metrics) } == 403, "\(name ?? "none")")
            #expect(status { try access.admit(request(authority: name), health) } == nil)
        }
    }

    @Test("With a token it must be present, as a bearer token or as any user's password")
    func tokens() {
        let access = OperatorAccess(token: "s3cret:ä")
        func status(_ field: String?) -> Int? {
            var headers = HTTPFields()
            headers[.authorization] = field
            return self.status { try access.admit(request("/", authority: "shop.example", headers), metrics) }
        }
        #expect(status("Bearer s3cret:ä") == nil)
        #expect(status("bearer s3cret:ä") == nil)
        // Base64 of "me:s3cret:ä".
        #expect(status("Basic bWU6czNjcmV0OsOk") == nil)
        for wrong in [
            nil, "", "Bearer", "Bearer ", "Bearer s3cret", "Bearer s3cret:a", "Basic", "Basic !", "Basic bWU=",
            "Basic bWU6eA==", "Digest s3cret:ä",
        ] {
            #expect(status(wrong) == 401, "\(wrong ?? "none")")
        }
        #expect(self.status { try access.admit(request(authority: "x"), health) } == nil)
    }
}
