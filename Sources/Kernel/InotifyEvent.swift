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

    /// Calls `body` for each event of a buffer that `read` filled; stops at a record that does not fit.
    ///
    /// The format is `struct inotify_event`: watch, mask, cookie and name length, four bytes each, then the
    /// name padded with NUL. Records may lie at any alignment.
    public static func parse(_ buffer: UnsafeRawBufferPointer, _ body: (InotifyEvent) -> Void) {
        let header = 16
        var offset = 0
        while offset + header <= buffer.count {
            let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            guard length <= buffer.count - offset - header else { return }
            let field = buffer[(offset + header)..<(offset + header + length)].prefix { $0 != 0 }
            body(
                InotifyEvent(
                    watch: buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                    mask: Mask(rawValue: buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)),
                    cookie: buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self),
                    name: field.isEmpty ? nil : FileName(bytes: Array(field))))
            offset += header + length
        }
    }
}
