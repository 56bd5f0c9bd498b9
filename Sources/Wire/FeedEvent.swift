/// One event of `GET /v1/feed`.
///
/// Only the fields that belong to `type` are set.
public struct FeedEvent: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable {
        case snapshot, usage
        case containerAdded = "container-added"
        case containerRemoved = "container-removed"
        case imageAdded = "image-added"
        case imageRemoved = "image-removed"
        case alert, source, heartbeat
    }

    public var type: Kind
    /// What `Last-Event-ID` resumes from.
    ///
    /// It rises by one with each event but `snapshot` and `heartbeat`, which carry the last one's, and starts from
    /// the time that the daemon was started, so that an id of an earlier run is never taken for one of this.
    public var id: Int64
    /// RFC 3339.
    public var time: String
    /// `snapshot`: everything, as `/v1/status`.
    public var status: Status?
    /// `snapshot`: how many events this reader lost before it, because it was too slow or away too long.
    public var lost: Int64?
    /// `usage`, `container-added`, `container-removed`.
    public var container: Container?
    /// `usage`: by how much the writable layer changed since the last event of this container.
    public var change: Since.Change?
    /// `usage`: the paths that changed most, where known.
    public var paths: [PathGrowth]?
    /// `image-added`, `image-removed`.
    public var image: Image?
    public var alert: Alert?
    public var source: Source?

    public init(
        type: Kind, id: Int64, time: String, status: Status? = nil, lost: Int64? = nil,
        container: Container? = nil, change: Since.Change? = nil, paths: [PathGrowth]? = nil,
        image: Image? = nil,
        alert: Alert? = nil, source: Source? = nil
    ) {
        self.type = type
        self.id = id
        self.time = time
        self.status = status
        self.lost = lost
        self.container = container
        self.change = change
        self.paths = paths
        self.image = image
        self.alert = alert
        self.source = source
    }
}
