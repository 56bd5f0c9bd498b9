import NIOCore
import Synchronization
import Wire

/// An event in the ring, encoded when the first reader wants it; all readers share the bytes.
final class FeedEntry: Sendable {
    let event: FeedEvent
    /// About how many bytes it keeps in memory, encoded forms included.
    let cost: Int
    private let encoded = Mutex<[FeedFormat: ByteBuffer]>([:])

    init(_ event: FeedEvent) {
        self.event = event
        cost = 512 + 3 * event.textBytes
    }

    /// The event in a format, or nothing if it cannot be encoded.
    func bytes(_ format: FeedFormat) -> ByteBuffer {
        encoded.withLock { encoded in
            if let bytes = encoded[format] { return bytes }
            let bytes = (try? format.encode(event)) ?? ByteBuffer()
            encoded[format] = bytes
            return bytes
        }
    }
}

extension FeedEvent {
    /// Bytes of the strings that containers and images choose the length of.
    fileprivate var textBytes: Int {
        var bytes = 0
        for path in paths ?? [] { bytes += path.path.utf8.count + 64 }
        if let container {
            bytes += 512 + container.name.utf8.count + container.image.utf8.count
            for volume in container.volumes { bytes += volume.utf8.count }
        }
        if let image {
            bytes += 512
            for text in image.names + image.layers { bytes += text.utf8.count }
        }
        if let alert {
            bytes += 512 + alert.message.utf8.count
            for path in alert.top { bytes += path.path.utf8.count + 64 }
        }
        for problem in source?.problems ?? [] {
            bytes += problem.object.utf8.count + problem.path.utf8.count + problem.reason.utf8.count
        }
        return bytes
    }
}
