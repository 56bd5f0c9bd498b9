import NIOCore
import NIOHTTP1
import Wire

/// A whole response but for the framing.
struct Answer: Sendable {
    var status: Int
    var contentType: String
    /// For `Allow`, where the method was wrong.
    var allow: [String] = []
    var body: ByteBuffer

    static func json(_ value: some Encodable) -> Answer {
        do {
            return Answer(status: 200, contentType: "application/json", body: try line(value))
        } catch {
            // The error may hold the whole answer.
            return problem(
                Problem(
                    .internal, detail: "the answer could not be written as JSON: it may be nested too deeply")
            )
        }
    }

    static func problem(_ problem: Problem, allow: [String] = []) -> Answer {
        // A problem that cannot be encoded has no strings that would help.
        let body = (try? line(problem)) ?? ByteBuffer(string: "{}\n")
        let status = (400...599).contains(problem.status) ? problem.status : 500
        return Answer(status: status, contentType: "application/problem+json", allow: allow, body: body)
    }

    private static func line(_ value: some Encodable) throws -> ByteBuffer {
        let data = try WireCoding.encode(value)
        var buffer = ByteBufferAllocator().buffer(capacity: data.count + 1)
        buffer.writeBytes(data)
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }

    func head(version: HTTPVersion, close: Bool) -> HTTPResponseHead {
        var headers: HTTPHeaders = [
            "Content-Type": contentType,
            "Content-Length": String(body.readableBytes),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        ]
        if !allow.isEmpty { headers.add(name: "Allow", value: allow.joined(separator: ", ")) }
        if close { headers.add(name: "Connection", value: "close") }
        return HTTPResponseHead(version: version, status: .init(statusCode: status), headers: headers)
    }
}
