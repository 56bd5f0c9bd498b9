internal import Glibc

/// One record of an inotify queue where `read` put it, good as long as the buffer is.
///
/// In a burst most events repeat what was said before, so that a name object for each would be thrown away at once.
public struct InotifyRecord {
    public let watch: Int32
    public let mask: InotifyEvent.Mask
    public let cookie: UInt32
    /// The name's bytes; empty where the event is about the directory itself.
    public let name: UnsafeRawBufferPointer

    init(watch: Int32, mask: InotifyEvent.Mask, cookie: UInt32, name: UnsafeRawBufferPointer) {
        self.watch = watch
        self.mask = mask
        self.cookie = cookie
        self.name = name
    }

    /// Calls `body` for each record of a buffer that `read` filled; stops at one that does not fit.
    ///
    /// The format is `struct inotify_event`: watch, mask, cookie and name length, four bytes each, then the
    /// name padded with NUL. Records may lie at any alignment.
    static func parse(_ buffer: UnsafeRawBufferPointer, _ body: (InotifyRecord) -> Void) {
        let header = 16
        var offset = 0
        while offset + header <= buffer.count {
            let length = Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            guard length <= buffer.count - offset - header, let start = buffer.baseAddress else { return }
            let field = start + offset + header
            body(
                InotifyRecord(
                    watch: buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                    mask: InotifyEvent.Mask(
                        rawValue: buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)),
                    cookie: buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self),
                    name: UnsafeRawBufferPointer(
                        start: field, count: strnlen(field.assumingMemoryBound(to: CChar.self), length))))
            offset += header + length
        }
    }
}
