internal import Kernel

/// What a process holds of the kernel's goods at one moment.
package struct ProcessLoad: Hashable, Sendable {
    /// `RssAnon`: memory that is no file's, bytes.
    package var anonymousBytes: Int64
    package var descriptors: Int
    /// Inotify watches, by the kernel's count.
    package var watches: Int

    package init(anonymousBytes: Int64, descriptors: Int, watches: Int) {
        self.anonymousBytes = anonymousBytes
        self.descriptors = descriptors
        self.watches = watches
    }

    package init(of process: Int32) throws {
        let status = try ProcessFile.text("/proc/\(process)/status")
        anonymousBytes = (ProcessFile.number("RssAnon", in: status) ?? 0) * 1024
        descriptors = try Directory.open(path: "/proc/\(process)/fd").entries().count
        watches = 0
        for entry in try Directory.open(path: "/proc/\(process)/fdinfo").entries() {
            let path = "/proc/\(process)/fdinfo/\(String(decoding: entry.name.bytes, as: UTF8.self))"
            // A descriptor may be closed meanwhile.
            guard let text = try? ProcessFile.text(path) else { continue }
            watches += text.split(separator: "\n").count { $0.hasPrefix("inotify wd:") }
        }
    }
}
