import HTTPTypes
import Hummingbird
import NIOCore

/// A whole answer, ready to be sent.
struct Answer: Sendable {
    var head: HTTPResponse
    var body: ByteBuffer

    /// With the length of its body.
    init(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: ByteBuffer = ByteBuffer()) {
        head = HTTPResponse(status: status, headerFields: fields)
        head.headerFields[.contentLength] = String(body.readableBytes)
        self.body = body
    }

    var response: Response {
        Response(status: head.status, headers: head.headerFields, body: .init(byteBuffer: body))
    }
}
