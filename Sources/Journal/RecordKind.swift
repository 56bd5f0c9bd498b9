/// Every kind of record that the daemon, and `usage-client notify`, write to the journal.
///
/// Each has a `MESSAGE_ID` of its own, which never changes, and an entry in the message catalog
/// (`systemd/usaged.catalog`): `journalctl MESSAGE_ID=...` finds them, `journalctl -x` explains them.
public enum RecordKind: String, Hashable, Sendable, CaseIterable {
    case started
    case stopped
    case storeFound = "store-found"
    case storeUnreadable = "store-unreadable"
    case storeRecovered = "store-recovered"
    /// A store that was found before is not followed any more.
    case storeGone = "store-gone"
    case objectDamaged = "object-damaged"
    case layerMeasured = "layer-measured"
    /// No kernel events for a place: it is looked at again and again.
    case polling
    case watchesRecovered = "watches-recovered"
    /// The kernel dropped events; what they covered is looked at again.
    case queueOverflow = "queue-overflow"
    /// An audit found a figure wrong.
    case auditCorrection = "audit-correction"
    case stateFailure = "state-failure"
    case configurationLoaded = "configuration-loaded"
    case configurationRejected = "configuration-rejected"
    case alertFiring = "alert-firing"
    case alertResolved = "alert-resolved"
    case containerAdded = "container-added"
    case containerRemoved = "container-removed"
    case imageAdded = "image-added"
    case imageRemoved = "image-removed"
    case markSet = "mark-set"
    case feedReaderLagged = "feed-reader-lagged"
    /// Alerts cannot be delivered to a receiver, and are kept.
    case deliveryFailing = "delivery-failing"
    case deliveryRecovered = "delivery-recovered"
    /// Alerts were given up that a receiver was to be sent.
    case noticesDropped = "notices-dropped"
    /// More records of one kind came than are written in a while.
    case recordsSuppressed = "records-suppressed"
    /// Records were lost because the journal took none.
    case recordsLost = "records-lost"

    /// The `MESSAGE_ID`: 128 random bits in lower-case hexadecimal.
    public var messageID: String {
        switch self {
        case .started: "2d687397335448f3bb5b7f41a439bb4d"
        case .stopped: "6d5d8b67b616499690fbf80d72bea852"
        case .storeFound: "c794ed5ab990482fb9f5358d1c68df8b"
        case .storeUnreadable: "c36b8f02e9704f168f4c23fc436de8ab"
        case .storeRecovered: "becbb48dfe69469d9a2e2322e9e78b69"
        case .storeGone: "f679c1a93347a1704bf18b92284d12b2"
        case .objectDamaged: "618c5cb28a5d450ba69d0327bcbd6e2a"
        case .layerMeasured: "c0be1f92970d418690e6a7cc05a6a7fc"
        case .polling: "cf4f4db9f6294d1ea9c3d8987223318e"
        case .watchesRecovered: "00ba7fc446f3445690cb821f6df4ab50"
        case .queueOverflow: "5c40e3cec9024664831d75786e5e7381"
        case .auditCorrection: "8515075dcc5e48bbaad783fcc918c5eb"
        case .stateFailure: "bbb27bd8cd3349439fa213b978d8361c"
        case .configurationLoaded: "cfae0965f8e34b4e8d1fda2a64460b45"
        case .configurationRejected: "86f2815b0dad473eb232859e55ec5a99"
        case .alertFiring: "9aeb962a0f194b29ab04ab7863ac6ebd"
        case .alertResolved: "0d05ce1ff99d4e749cefacdb65590ae8"
        case .containerAdded: "548ac95ce32f4c0c97576de941f363b3"
        case .containerRemoved: "c5bfd61512694580aa05417243d51ec6"
        case .imageAdded: "f78939b63cd1462f9212618905fb789a"
        case .imageRemoved: "064f683f110347b4b488abb54770e990"
        case .markSet: "15517a5e58b947f4947090fbf13b37fd"
        case .feedReaderLagged: "3911f181f03143779609d7c8445b9d1e"
        case .deliveryFailing: "212b9e35ee4046e580dd7627f4bad2d3"
        case .deliveryRecovered: "4e143350991443099c85df161c0dbc87"
        case .noticesDropped: "9fe3649045a54f5b8eefa7402741937a"
        case .recordsSuppressed: "77a2414d6c154551b455bd5d0fc170a0"
        case .recordsLost: "169b1e1465004003a6693b040cb03c8e"
        }
    }

    /// The kind that has this `MESSAGE_ID`.
    public init?(messageID: String) {
        guard let kind = RecordKind.byMessageID[messageID] else { return nil }
        self = kind
    }

    /// Whether no record of the kind may be held back, whatever their number.
    public var isAlert: Bool {
        self == .alertFiring || self == .alertResolved
    }

    /// The metadata that a record of the kind carries, by key.
    ///
    /// The catalog's text shows them; more may be added.
    public var metadataKeys: [String] {
        switch self {
        case .started: ["socket"]
        case .stopped, .queueOverflow: []
        case .storeFound: ["engine", "driver", "root"]
        case .storeUnreadable: ["engine", "root", "reason"]
        case .storeRecovered, .storeGone: ["engine", "root"]
        case .objectDamaged, .polling: ["path", "reason"]
        case .layerMeasured: ["layer", "disk_bytes"]
        case .watchesRecovered, .configurationLoaded: ["path"]
        case .auditCorrection: ["path", "difference_bytes"]
        case .stateFailure, .configurationRejected: ["reason"]
        case .alertFiring, .alertResolved:
            ["rule", "container", "container_id", "image", "value_bytes", "limit_bytes"]
        case .containerAdded, .containerRemoved: ["container", "container_id", "image"]
        case .imageAdded, .imageRemoved: ["image", "image_id"]
        case .markSet: ["mark"]
        case .feedReaderLagged: ["lost"]
        case .deliveryFailing: ["receiver", "reason"]
        case .deliveryRecovered: ["receiver", "waiting"]
        case .noticesDropped: ["receiver", "count", "reason"]
        case .recordsSuppressed: ["kind", "count"]
        case .recordsLost: ["count"]
        }
    }

    private static let byMessageID = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.messageID, $0) })
}
