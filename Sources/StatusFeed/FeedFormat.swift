import NIOCore
import Wire

/// How events go over the socket: one JSON object each.
enum FeedFormat: Hashable, Sendable {
    /// `text/event-stream`, https://html.spec.whatwg.org/multipage/server-sent-events.html
    case eventStream
    /// `application/x-ndjson`: one line each.
    case lines

    /// Chooses by `Accept`: what the client likes best, an event stream for browsers, else lines.
    init(accept: [String]) {
        var best: (format: FeedFormat, quality: Double) = (.lines, 0)
        for range in accept.flatMap({ $0.split(separator: ",") }) {
            let parts = range.split(separator: ";").map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
            let format: FeedFormat
            switch parts.first {
            case "text/event-stream", "text/html", "text/*": format = .eventStream
            case "application/x-ndjson", "application/ndjson", "application/json": format = .lines
            default: continue
            }
            let given = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            let quality = given ?? 1
            if quality > best.quality { best = (format, quality) }
        }
        self = best.format
    }

    var contentType: String {
        switch self {
        case .eventStream: "text/event-stream"
        case .lines: "application/x-ndjson"
        }
    }

    func encode(_ event: FeedEvent) throws -> ByteBuffer {
        // JSON escapes every line break, so that one line is one object.
        let json = try WireCoding.encode(event)
        var buffer = ByteBufferAllocator().buffer(capacity: json.count + 96)
        switch self {
        case .eventStream:
            buffer.writeString("id: \(event.id)\nevent: \(event.type.rawValue)\ndata: ")
            buffer.writeBytes(json)
            buffer.writeStaticString("\n\n")
        case .lines:
            buffer.writeBytes(json)
            buffer.writeStaticString("\n")
        }
        return buffer
    }
}
