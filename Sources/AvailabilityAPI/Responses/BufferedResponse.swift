import HTTPTypes
import Hummingbird
import NIOCore

/// A whole answer, ready to be sent.
struct BufferedResponse: Sendable {
    var head: HTTPResponse
    var body: ByteBuffer

    /// With the length of its body, if it may have one.
    init(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: ByteBuffer = ByteBuffer()) {
        head = HTTPResponse(status: status, headerFields: fields)
        if status != .notModified, status != .noContent {
            head.headerFields[.contentLength] = String(body.readableBytes)
        }
        self.body = body
    }

    /// To a method that does not read, where no other one is taken.
    /// - Parameter methods: those that are.
    /// - Throws: `Problem` (405), unless it asks for them.
    static func toOtherMethods(_ isOptions: Bool, _ methods: String) throws -> BufferedResponse {
        guard isOptions else { throw Problem.methodNotAllowed(methods) }
        return BufferedResponse(.noContent, [.allow: methods])
    }

    var response: Response {
        Response(status: head.status, headers: head.headerFields, body: .init(byteBuffer: body))
    }

    /// As HTTP/1.1 sends it.
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
