internal import Glibc

/// What `/proc/PID/fdinfo/N` says of an open file, as far as it is needed here.
struct DescriptorInfo: Hashable {
    /// The mount by which it was opened, as ``MountTable/Mount/id`` numbers it.
    let mount: UInt32
    /// Whether it was opened for writing.
    let isWritable: Bool

    /// Parses the lines of `proc(5)`, `flags:\t0100002` (octal) and `mnt_id:\t29`; `nil` where one is missing.
    init?(parsing bytes: [UInt8]) {
        var mount: UInt32?
        var flags: UInt64?
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            if line[..<colon].elementsEqual("mnt_id".utf8) {
                mount = mount ?? DecimalText.number(value, as: UInt32.self)
            } else if line[..<colon].elementsEqual("flags".utf8) {
                flags = flags ?? DecimalText.number(value, as: UInt64.self, radix: 8)
            }
        }
        guard let mount, let flags else { return nil }
        self.mount = mount
        isWritable = Int32(truncatingIfNeeded: flags) & O_ACCMODE != O_RDONLY
    }
}
