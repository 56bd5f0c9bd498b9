internal import Glibc

/// An entry of a directory that is being listed: its name lies in the buffer that the kernel filled.
///
/// It is good until the next one is asked for; ``name`` is a copy to keep.
public struct ListedEntry {
    let cName: UnsafePointer<CChar>
    /// Whether the file system said that the entry is a directory; `nil` where it did not say.
    public let isDirectory: Bool?

    public var name: FileName {
        FileName(bytes: Array(UnsafeRawBufferPointer(start: cName, count: strlen(cName))))
    }

    var isDot: Bool {
        let dot = CChar(bitPattern: UInt8(ascii: "."))
        guard cName[0] == dot else { return false }
        return cName[1] == 0 || cName[1] == dot && cName[2] == 0
    }
}
