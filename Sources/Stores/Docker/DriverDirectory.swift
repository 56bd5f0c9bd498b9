import Accounting
import Glibc
import Kernel

/// The directories that the driver has, and the short names that overlayfs's drivers give them in `l`.
struct DriverDirectory: Sendable {
    struct Listing: Sendable {
        /// What is in the driver's directory and may be a layer.
        var names: [FileName] = []
        /// The names in `l` of each directory.
        var links: [String: [String]] = [:]
    }

    /// What each link points at; the engine makes up a name once and never changes where it leads.
    private var known: [FileName: String] = [:]

    /// Lists the driver's directory; nothing where it does not exist.
    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> Listing {
        var listing = Listing()
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: paths.data)
        } catch {
            // Whoever needs a layer in it says that it is missing.
            if !error.isMissing { notes.add(error, of: .store) }
            return listing
        }
        let reserved = paths.driver.reservedName.map { FileName($0) }
        let (names, fault) = directory.names { $0 != reserved }
        if let fault { notes.add(fault, of: .store) }
        listing.names = names
        if let reserved = paths.driver.reservedName { readLinks(directory, reserved, &listing) }
        return listing
    }

    private mutating func readLinks(
        _ directory: MetadataDirectory, _ name: String, _ listing: inout Listing
    ) {
        guard let links = try? directory.child(name) else { return known = [:] }
        var kept: [FileName: String] = [:]
        for name in links.names(where: { !$0.isDot }).names {
            guard let target = known[name] ?? links.target(ofLink: name) else { continue }
            kept[name] = target
            // `../ID/diff`
            let parts = target.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "..", parts[2] == "diff",
                let text = String(validating: name.bytes, as: UTF8.self)
            else { continue }
            listing.links[String(parts[1]), default: []].append(text)
        }
        known = kept
    }
}

extension MetadataDirectory {
    /// Where the symbolic link `name` leads, as it says; `nil` where it is none, or longer than an engine makes one.
    func target(ofLink name: FileName) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.smallFileLimit) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = name.withCString { readlinkat(descriptor, $0, start, buffer.count) }
            guard count > 0, count < buffer.count else { return nil }
            let bytes = buffer[..<count].map { UInt8(bitPattern: $0) }
            return String(validating: bytes, as: UTF8.self)
        }
    }
}
