import Foundation
import Wire

/// A reader of `/v1/feed` in either format, blocking like ``RawClient``.
final class FeedClient: Sendable {
    let raw: RawClient
    let headers: [String: String]
    private let isEventStream: Bool

    init(_ path: String, target: String = "/v1/feed", accept: String? = nil, lastEventID: Int64? = nil) throws
    {
        raw = try RawClient(path)
        var fields = accept.map { "Accept: \($0)\r\n" } ?? ""
        if let lastEventID { fields += "Last-Event-ID: \(lastEventID)\r\n" }
        try raw.get(target, fields)
        let head = try raw.head()
        guard head.status == 200 else { throw ClientError(description: "feed: status \(head.status)") }
        headers = head.headers
        isEventStream = headers["content-type"] == "text/event-stream"
    }

    /// The events of the next chunk; nothing at the stream's end.
    func events() throws -> [FeedEvent]? {
        guard let chunk = try raw.chunk() else { return nil }
        let text = String(decoding: chunk, as: UTF8.self)
        guard text.hasSuffix(isEventStream ? "\n\n" : "\n") else {
            throw ClientError(description: "a chunk ends in the middle of an event")
        }
        guard isEventStream else {
            return try text.split(separator: "\n").map {
                try WireCoding.decode(FeedEvent.self, from: Data($0.utf8))
            }
        }
        return try text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { block in
            let lines = block.components(separatedBy: "\n")
            guard lines.count == 3, lines[2].hasPrefix("data: ") else {
                throw ClientError(description: "not an event: \(block.prefix(200))")
            }
            let event = try WireCoding.decode(FeedEvent.self, from: Data(lines[2].dropFirst(6).utf8))
            guard lines[0] == "id: \(event.id)", lines[1] == "event: \(event.type.rawValue)" else {
                throw ClientError(description: "id or event do not match the data: \(lines[0]), \(lines[1])")
            }
            return event
        }
    }

    /// Reads until an event for which `isLast` is true, that one included.
    func events(until isLast: (FeedEvent) -> Bool) throws -> [FeedEvent] {
        var all: [FeedEvent] = []
        while let events = try events() {
            all += events
            if all.contains(where: isLast) { return all }
        }
        throw ClientError(description: "the feed ended after \(all.count) events")
    }
}
