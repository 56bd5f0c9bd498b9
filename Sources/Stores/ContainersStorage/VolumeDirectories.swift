import Accounting
import Kernel

/// The volumes that the engine keeps below the graph root: `volumes/NAME/_data`.
struct VolumeDirectories {
    static let data = "_data"

    struct Result {
        /// The names of the volumes, and whether something is mounted on each.
        var volumes: [(name: String, isMounted: Bool)] = []
        /// Whether every directory with data is among them.
        var isComplete = true
    }

    static func read(_ paths: ContainersStoragePaths, _ notes: inout ReadingNotes) -> Result {
        var result = Result()
        guard let directory = MetadataDirectory.watched(paths.volumes, &notes) else { return result }
        let (names, fault) = directory.names { (_: FileName) in true }
        if let fault {
            notes.add(fault, of: .store)
            result.isComplete = false
        }
        for name in names where directory.isDirectory(name) {
            let text = String(decoding: name.bytes, as: UTF8.self)
            guard isName(text) else {
                result.isComplete = false
                continue
            }
            do throws(MetadataFault) {
                let volume = try directory.child(text)
                if let fault = volume.missingDirectory(data) {
                    // It is made right after the directory.
                    notes.directories.append(volume.path)
                    guard !fault.isMissing else { continue }
                    notes.add(fault, of: .volume(text))
                    result.isComplete = false
                    continue
                }
                result.volumes.append((text, volume.isMountPoint(data)))
            } catch {
                if !error.isMissing { notes.add(error, of: .volume(text)) }
            }
        }
        return result
    }

    /// Whether it is a name as the engine allows it.
    private static func isName(_ text: String) -> Bool {
        let isLetter: (UInt8) -> Bool = { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        return (text.utf8.first.map(isLetter) ?? false)
            && text.utf8.allSatisfy { isLetter($0) || "_.-".utf8.contains($0) }
    }
}
