extension StatusServer {
    /// What one client, and all of them together, may take of the daemon.
    ///
    /// Clients may be hostile: every buffer, queue and wait of the server is bounded by one of these.
    public struct Limits: Sendable {
        /// Connections at once; others wait in the socket's queue.
        public var connections = 64
        /// How long they wait there without any that ends, before one more gets 503 and is closed.
        public var queuePatience = Duration.seconds(5)
        /// Connections of one user other than root and the daemon's own; one more gets 503 and is closed.
        public var connectionsPerUser = 32
        /// Connections out of ``connections`` that only root and the daemon's own user may take.
        public var privilegedReserve = 16
        /// Bytes of a request's target and header fields together; more gets 431.
        public var headerBytes = 16 * 1024
        /// Bytes of a request's body, which is discarded; more gets 413.
        public var bodyBytes = 4 * 1024
        /// Requests that a client may send ahead of their answers; the connection is closed after so many.
        public var pipelinedRequests = 64
        /// Questions put to the daemon at once; others wait in line.
        public var concurrentRequests = 8
        /// Places out of ``concurrentRequests`` that only root and the daemon's own user may take.
        public var privilegedRequests = 2
        /// Requests a second of one user other than root and the daemon's own, over a while; more wait.
        public var requestsPerSecond = 100
        /// Requests that such a user may be ahead of that rate.
        public var requestBurst = 200
        /// The time for a whole request to arrive, from its first byte, or from the connection's start.
        public var requestTimeout = Duration.seconds(10)
        /// How long a connection may stay without a request after an answer.
        public var keepAliveTimeout = Duration.seconds(60)
        /// The time for the daemon to answer; after it the client gets 503.
        public var answerTimeout = Duration.seconds(60)
        /// The time for a client to read an answer; not for the feed, which waits for a slow reader.
        public var writeTimeout = Duration.seconds(30)
        /// How long a reader of the feed may not read at all; it comes back with `Last-Event-ID`.
        public var feedStallTimeout = Duration.seconds(300)
        /// How long a closing connection waits for the client to close its side.
        public var lingerTimeout = Duration.seconds(1)
        /// How often a reader of the feed gets a `heartbeat`.
        public var heartbeat = Duration.seconds(15)
        /// How long a graceful shutdown waits for answers under way.
        public var drainTimeout = Duration.seconds(5)

        public init() {}
    }
}
