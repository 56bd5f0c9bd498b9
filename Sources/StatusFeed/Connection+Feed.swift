import NIOCore
import NIOHTTP1
import Wire

/// How far a client has read the feed.
struct FeedReader {
    let format: FeedFormat
    /// The id of the last event that was written.
    var lastID: Int64
    /// Whether it must get a snapshot before anything else, and with which count of lost events.
    var snapshot: Snapshot

    enum Snapshot: Equatable {
        case notNeeded
        case wanted(id: Int64, lost: Int64?)
        case asked
    }
}

extension Connection {
    /// Bytes of events that are joined into one write.
    private static let batchBytes = 32 * 1024
    private static let batchEvents = 64

    func beginFeed(_ head: HTTPRequestHead, since: String?) throws(Refusal) {
        let format = FeedFormat(accept: head.headers[canonicalForm: "accept"].map { String($0) })
        let resume = try Self.resumePoint(head, since: since)
        guard let context else { return }
        guard !core.isQuiescing else {
            throw Refusal(Problem(.unavailable, detail: "the daemon is shutting down; come back soon"))
        }
        var headers: HTTPHeaders = [
            "Content-Type": format.contentType, "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Accel-Buffering": "no", "Connection": "close",
        ]
        if head.version == .http1_1, head.method != .HEAD {
            headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        let response = HTTPResponseHead(version: head.version, status: .ok, headers: headers)
        guard head.method != .HEAD else {
            write(.head(response))
            closeAfterWriting(context)
            return
        }
        phase = .feeding
        let lastID = core.hub.lastID
        feed = FeedReader(
            format: format, lastID: resume ?? lastID,
            snapshot: resume == nil ? .wanted(id: lastID, lost: nil) : .notNeeded)
        write(.head(response))
        context.flush()
        core.feedBegan(self)
        pump()
    }

    /// `Last-Event-ID`, or `since` where a client cannot set a header.
    private static func resumePoint(_ head: HTTPRequestHead, since: String?) throws(Refusal) -> Int64? {
        guard let text = head.headers.first(name: "last-event-id") ?? since, !text.isEmpty else { return nil }
        guard let id = Int64(text) else {
            throw Refusal(
                Problem(
                    .invalidRequest,
                    detail: "Last-Event-ID or since is not a number; give the id of an event, or leave it out"
                ))
        }
        return id
    }

    /// A reader that stands still keeps a place and what was written for it, but not for ever.
    func feedWritabilityChanged(_ isWritable: Bool) {
        if isWritable {
            cancelTimeout()
            pump()
        } else {
            expect(within: core.limits.feedStallTimeout) { $0.abort("the reader of the feed stood still") }
        }
    }

    /// Writes what the reader has not got yet, as long as it reads.
    func pump() {
        guard phase == .feeding, let context, var reader = feed else { return }
        guard !isPumping else {
            isPumpWanted = true
            return
        }
        isPumping = true
        reading: while context.channel.isWritable {
            switch reader.snapshot {
            case .asked: break reading
            case .wanted(let id, let lost):
                askForSnapshot(id: id, lost: lost, format: reader.format)
                reader.snapshot = .asked
                break reading
            case .notNeeded: break
            }
            switch core.hub.read(after: reader.lastID, limit: Self.batchEvents) {
            case .caughtUp: break reading
            case .gap(let lost, let last): reader.snapshot = .wanted(id: last, lost: lost)
            case .events(let entries): reader.lastID = write(entries, format: reader.format)
            }
        }
        feed = reader
        context.flush()
        isPumping = false
        if isPumpWanted {
            // Not at once, so that one fast reader does not keep the loop from the others.
            isPumpWanted = false
            core.feedWantsMore()
        }
    }

    /// Writes some of the events as one chunk and returns the id of the last of them.
    private func write(_ entries: [FeedEntry], format: FeedFormat) -> Int64 {
        var batch = ByteBuffer()
        var lastID: Int64 = 0
        for entry in entries {
            var bytes = entry.bytes(format)
            if batch.readableBytes > 0, batch.readableBytes + bytes.readableBytes > Self.batchBytes { break }
            // The first one's storage is shared; a second makes the batch a copy.
            if batch.readableBytes == 0 { batch = bytes } else { batch.writeBuffer(&bytes) }
            lastID = entry.event.id
        }
        write(.body(.byteBuffer(batch)))
        return lastID
    }

    /// Asks for everything.
    ///
    /// The id was taken before the figures are: an event in between is in the snapshot and comes again after it,
    /// but none is missed.
    private func askForSnapshot(id: Int64, lost: Int64?, format: FeedFormat) {
        guard let eventLoop = context?.eventLoop else { return }
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        question = Task { [responder = core.responder, peer] in
            let bytes = try? await responder.snapshot(id: id, lost: lost, format: format, for: peer)
            eventLoop.execute { connection.value.snapshotCame(bytes, id: id) }
        }
    }

    private func snapshotCame(_ bytes: ByteBuffer?, id: Int64) {
        question = nil
        guard phase == .feeding else { return }
        guard let bytes else {
            endFeed()
            return
        }
        feed?.lastID = id
        feed?.snapshot = .notNeeded
        write(.body(.byteBuffer(bytes)))
        context?.flush()
        core.feedWantsMore()
    }

    /// Tells a reader that has got everything that the daemon is there.
    func sendHeartbeat() {
        pump()
        guard phase == .feeding, let context, context.channel.isWritable, let feed,
            feed.snapshot == .notNeeded
        else { return }
        let event = FeedEvent(type: .heartbeat, id: feed.lastID, time: WallClock.timestamp())
        guard let bytes = try? feed.format.encode(event) else { return }
        write(.body(.byteBuffer(bytes)))
        context.flush()
    }

    /// Ends the stream in order.
    func endFeed() {
        guard phase == .feeding, let context else { return }
        question?.cancel()
        question = nil
        feed = nil
        core.feedEnded(self)
        closeAfterWriting(context)
    }
}
