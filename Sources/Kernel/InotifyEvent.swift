/// One record of an inotify queue.
public struct InotifyEvent: Hashable, Sendable {
    /// What happened, as `inotify(7)` names it.
    public struct Mask: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        public static let modify = Mask(rawValue: 0x0000_0002)
        public static let attributes = Mask(rawValue: 0x0000_0004)
        public static let closeWrite = Mask(rawValue: 0x0000_0008)
        public static let movedFrom = Mask(rawValue: 0x0000_0040)
        public static let movedTo = Mask(rawValue: 0x0000_0080)
        public static let create = Mask(rawValue: 0x0000_0100)
        public static let delete = Mask(rawValue: 0x0000_0200)
        public static let deleteSelf = Mask(rawValue: 0x0000_0400)
        public static let moveSelf = Mask(rawValue: 0x0000_0800)
        public static let unmount = Mask(rawValue: 0x0000_2000)
        public static let queueOverflow = Mask(rawValue: 0x0000_4000)
        public static let ignored = Mask(rawValue: 0x0000_8000)
        public static let isDirectory = Mask(rawValue: 0x4000_0000)

        /// Only for ``Inotify/add(_:mask:)``: fail unless it is a directory.
        public static let onlyDirectory = Mask(rawValue: 0x0100_0000)
        /// Only for ``Inotify/add(_:mask:)``: do not follow a symbolic link.
        public static let dontFollow = Mask(rawValue: 0x0200_0000)
    }

    /// The watch it came by; -1 for an overflow of the queue.
    public let watch: Int32
    public let mask: Mask
    /// Joins the two halves of a rename.
    public let cookie: UInt32
    /// The entry of the watched directory; `nil` where the event is about the directory itself.
    public let name: FileName?

    public init(watch: Int32, mask: Mask, cookie: UInt32 = 0, name: FileName? = nil) {
        self.watch = watch
        self.mask = mask
        self.cookie = cookie
        self.name = name
    }

    public init(_ record: InotifyRecord) {
        self.init(
            watch: record.watch, mask: record.mask, cookie: record.cookie,
            name: record.name.isEmpty ? nil : FileName(bytes: Array(record.name)))
    }

    /// Calls `body` for each event of a buffer that `read` filled; stops at a record that does not fit.
    public static func parse(_ buffer: UnsafeRawBufferPointer, _ body: (InotifyEvent) -> Void) {
        InotifyRecord.parse(buffer) { body(InotifyEvent($0)) }
    }

    /// Calls `body` with the event as one that lies in a buffer.
    public func withRecord(_ body: (InotifyRecord) -> Void) {
        (name?.bytes ?? []).withUnsafeBytes {
            body(InotifyRecord(watch: watch, mask: mask, cookie: cookie, name: $0))
        }
    }
}
