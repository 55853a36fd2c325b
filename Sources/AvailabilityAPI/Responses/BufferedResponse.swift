import HTTPTypes
import Hummingbird
import NIOCore

/// A complete response, ready to be sent.
struct BufferedResponse: Sendable {
    var head: HTTPResponse
    var body: ByteBuffer

    /// Sets `Content-Length`, except for statuses without a body.
    init(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: ByteBuffer = ByteBuffer()) {
        head = HTTPResponse(status: status, headerFields: fields)
        if status != .notModified, status != .noContent {
            head.headerFields[.contentLength] = String(body.readableBytes)
        }
        self.body = body
    }

    /// The response to a method that the route does not support: 204 with `Allow` to OPTIONS.
    /// - Parameter methods: the supported methods.
    /// - Throws: `Problem` (405) for every other method.
    static func toOtherMethods(_ isOptions: Bool, _ methods: String) throws -> BufferedResponse {
        guard isOptions else { throw Problem.methodNotAllowed(methods) }
        return BufferedResponse(.noContent, [.allow: methods])
    }

    var response: Response {
        Response(status: head.status, headers: head.headerFields, body: .init(byteBuffer: body))
    }

    /// The response as HTTP/1.1 bytes.
    var encoded: ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 512 + body.readableBytes)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString("\(head.status.code) \(head.status.reasonPhrase)\r\n")
        for field in head.headerFields {
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
        buffer.writeImmutableBuffer(body)
        return buffer
    }
}
