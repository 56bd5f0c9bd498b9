internal import FoundationEssentials
internal import Glibc
internal import Kernel
internal import SystemPackage

/// The file of a ``ReceiverBook``: one line for each ``BookEntry``, appended.
///
/// A line is the FNV-1a of its JSON in 16 hexadecimal digits, a space, the JSON. What a crash cut off, or a disk
/// damaged, is left out line by line. When most of the file is of the past it is written anew beside and renamed.
final class BookFile {
    struct Contents {
        /// With the bytes that each takes.
        var entries: [(entry: BookEntry, size: Int)] = []
        /// Lines that were not read.
        var damaged = 0
    }

    /// The first line; another version of the form gets another number.
    private static let heading = Array("usaged-notify 1\n".utf8)
    /// A book within its limits takes less, twice over.
    private static let sizeLimit = 256 << 20
    private static let slack = 1 << 20

    let path: String
    private var descriptor: Int32 = -1
    private var size = 0
    /// What the file had when it was written anew last.
    private var liveSize = 0
    /// What could not be written is in the book alone, so that the next write must be of all.
    private(set) var isBehind = true

    init(path: String) {
        self.path = path
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Reads what is there; ``rewrite(_:)`` must follow before anything is appended.
    func read() throws(NotifyError) -> Contents {
        var contents = Contents()
        let bytes: [UInt8]
        do throws(BoundedFile.Failure) {
            bytes = try BoundedFile.read(path: path, limit: Self.sizeLimit)
        } catch {
            guard error.isMissing else { throw NotifyError("cannot read the queue: \(error)") }
            return contents
        }
        // A file of which not even the first line was written holds nothing.
        if !bytes.isEmpty, !Self.heading.starts(with: bytes.prefix(Self.heading.count)) {
            throw NotifyError(
                """
                \(path) is no queue that this version understands; remove it to begin anew, which forgets what waits
                """)
        }
        for line in bytes.dropFirst(Self.heading.count).split(separator: UInt8(ascii: "\n")) {
            if let entry = Self.decode(line) {
                contents.entries.append((entry, line.count + 1))
            } else {
                contents.damaged += 1
            }
        }
        return contents
    }

    /// Appends entries and waits until the disk has them.
    func append(_ lines: [[UInt8]]) throws(NotifyError) {
        guard !isBehind else { throw NotifyError("\(path) lacks earlier entries") }
        var bytes: [UInt8] = []
        for line in lines { bytes += line }
        do throws(NotifyError) {
            try write(bytes, to: descriptor)
            guard fdatasync(descriptor) == 0 else { throw failure("fdatasync") }
            size += bytes.count
        } catch {
            isBehind = true
            throw error
        }
    }

    /// Whether most of the file is of the past.
    var isOverdue: Bool { size > 2 * liveSize + Self.slack }

    /// Puts a file with these entries alone in the place of what is there; at every moment there is a whole one.
    func rewrite(_ lines: [[UInt8]]) throws(NotifyError) {
        isBehind = true
        let next = path + ".new"
        let raw = Glibc.open(next, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw failure("open", next) }
        do throws(NotifyError) {
            var bytes = Self.heading
            for line in lines { bytes += line }
            try write(bytes, to: raw)
            guard fdatasync(raw) == 0 else { throw failure("fdatasync", next) }
            guard Glibc.rename(next, path) == 0 else { throw failure("rename", next) }
            syncDirectory()
            if descriptor >= 0 { close(descriptor) }
            descriptor = raw
            size = bytes.count
            liveSize = bytes.count
            isBehind = false
        } catch {
            close(raw)
            unlink(next)
            throw error
        }
    }

    private func syncDirectory() {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let raw = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { return }
        fsync(raw)
        close(raw)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(NotifyError) {
        do {
            try FileDescriptor(rawValue: descriptor).writeAll(bytes)
        } catch {
            throw failure("write", error: error)
        }
    }

    private func failure(
        _ call: String, _ path: String? = nil, error: any Error = Errno(rawValue: Glibc.errno)
    ) -> NotifyError {
        NotifyError(
            "cannot save the queue: \(call) \(path ?? self.path): \(error); it is kept in memory and saved when it can be"
        )
    }

    // MARK: Lines

    static func encode(_ entry: BookEntry) -> [UInt8] {
        let json = PlainJSON.encode(entry)
        var hash = FNV1a()
        hash.add(json)
        return Array(hash.digits.utf8) + [UInt8(ascii: " ")] + Array(json) + [UInt8(ascii: "\n")]
    }

    static func decode(_ line: some Collection<UInt8>) -> BookEntry? {
        let json = line.dropFirst(17)
        var hash = FNV1a()
        hash.add(json)
        guard line.prefix(17).elementsEqual(Array(hash.digits.utf8) + [UInt8(ascii: " ")]) else { return nil }
        return try? JSONDecoder().decode(BookEntry.self, from: Data(json))
    }
}
