import Accounting
import Kernel
import SystemPackage

/// A directory of an engine's metadata, with its path for messages.
struct MetadataDirectory {
    /// More objects of one kind than this are not read: no engine keeps so many, and memory is bounded.
    static let maximumObjects = 100_000
    /// For files that hold one id or number.
    static let smallFileLimit = 4096

    let path: String
    private let directory: Directory

    /// Opens a directory of the layout; an operator may have put a symbolic link there.
    init(path: String) throws(MetadataFault) {
        do {
            directory = try Directory.open(path: path)
        } catch {
            throw MetadataFault(error, path: path)
        }
        self.path = path
    }

    private init(path: String, directory: Directory) {
        self.path = path
        self.directory = directory
    }

    /// Opens a subdirectory, never through a symbolic link.
    func child(_ name: String) throws(MetadataFault) -> MetadataDirectory {
        let path = path + "/" + name
        do {
            return MetadataDirectory(path: path, directory: try directory.openChild(FileName(name)))
        } catch {
            throw MetadataFault(error, path: path)
        }
    }

    /// The names of the entries that `isWanted` accepts, sorted.
    ///
    /// A directory that cannot be listed to its end, or holds too many, gives what was read and a fault.
    func names(where isWanted: (FileName) -> Bool) -> (names: [FileName], fault: MetadataFault?) {
        var names: [FileName] = []
        var fault: MetadataFault?
        do {
            try directory.forEachEntry { entry in
                guard isWanted(entry.name) else { return }
                guard names.count < Self.maximumObjects else { throw TooMany() }
                names.append(entry.name)
            }
        } catch is TooMany {
            fault = .damaged(
                path, "it holds more than \(Self.maximumObjects) objects; the rest is not accounted")
        } catch let error as KernelError {
            fault = MetadataFault(error, path: path)
        } catch {
            fault = .damaged(path, "\(error)")
        }
        return (names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }, fault)
    }

    private struct TooMany: Error {}

    /// Whether it can be listed and holds nothing else than `name`.
    func isEmpty(but name: String) -> Bool {
        let name = FileName(name)
        // Thrown to end the listing at the first entry.
        struct Found: Error {}
        return (try? directory.forEachEntry { if $0.name != name { throw Found() } }) != nil
    }

    /// The names of the entries that `isWanted` accepts as text.
    func names(where isWanted: (String) -> Bool, _ notes: inout ReadingNotes) -> [String] {
        let (names, fault) = names { name in isWanted(String(decoding: name.bytes, as: UTF8.self)) }
        if let fault { notes.add(fault, of: .store) }
        return names.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Opens `path`, which is watched from now on; `nil` where it is not there, or cannot be opened, which is noted.
    static func watched(_ path: String, _ notes: inout ReadingNotes) -> MetadataDirectory? {
        do throws(MetadataFault) {
            let directory = try MetadataDirectory(path: path)
            notes.directories.append(path)
            return directory
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return nil
        }
    }

    func status(of name: String) -> FileStatus? {
        status(of: FileName(name))
    }

    func status(of name: FileName) -> FileStatus? {
        try? directory.status(of: name)
    }

    /// A fault where `name`, made of ids that were checked, is no directory below this one.
    func missingDirectory(_ name: String) -> MetadataFault? {
        missingDirectory(FileName(name))
    }

    func missingDirectory(_ name: FileName) -> MetadataFault? {
        let path = path + "/" + name.escaped
        do {
            let kind = try directory.status(of: name).kind
            return kind == .directory ? nil : .damaged(path, "it is not a directory")
        } catch {
            return MetadataFault(error, path: path)
        }
    }

    func stamp(of name: String) -> FileStamp? {
        status(of: name).map(FileStamp.init)
    }

    /// A subdirectory whose content is not the engine's metadata; `nil` where it is none.
    func openDirectory(_ name: FileName) -> Directory? {
        try? directory.openChild(name)
    }

    /// Its descriptor, open for as long as this is.
    var descriptor: Int32 { directory.descriptor.rawValue }

    /// The file system that it is on.
    var device: UInt64? {
        (try? directory.status())?.identity.device
    }

    /// When the directory itself last changed, nanoseconds since the epoch.
    var changed: Int64? {
        (try? directory.status())?.changed
    }

    /// The whole file; an empty one is pending, for engines make a file before they fill it.
    func bytes(of name: String, limit: Int, _ notes: inout ReadingNotes) throws(MetadataFault) -> [UInt8] {
        let path = path + "/" + name
        notes.filesRead += 1
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(FileName(name), in: directory, limit: limit)
        } catch {
            throw MetadataFault(error, path: path)
        }
        guard !bytes.isEmpty else { throw MetadataFault.pending(path, "it is empty") }
        return bytes
    }

    /// Opens a file that is read by position.
    func regularFile(_ name: String) throws(MetadataFault) -> RegularFile {
        do {
            return try RegularFile.open(FileName(name), in: directory)
        } catch {
            throw MetadataFault(error, path: path + "/" + name)
        }
    }

    /// The text of a file of one line, without white space around it.
    func line(of name: String, _ notes: inout ReadingNotes) throws(MetadataFault) -> String {
        let bytes = try bytes(of: name, limit: Self.smallFileLimit, &notes)
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let text = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard !text.isEmpty else { throw MetadataFault.pending(path + "/" + name, "it is blank") }
        return String(decoding: text, as: UTF8.self)
    }
}
