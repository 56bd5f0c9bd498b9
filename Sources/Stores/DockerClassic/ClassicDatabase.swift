import Accounting

/// What files of one kind said of each object, kept until the files change.
struct ClassicDatabase<Value: Sendable>: Sendable {
    struct Entry: Sendable {
        var value: Value?
        var faults: [MetadataFault] = []
    }

    private var cache = StampedCache<Entry>()

    /// Reads each directory in `path` whose name `isWanted` accepts; `files` are those that it is parsed from.
    mutating func read(
        _ path: String, files: [String], where isWanted: (String) -> Bool, _ notes: inout ReadingNotes,
        _ parse: (MetadataDirectory, String, inout ReadingNotes) throws(MetadataFault) -> Value
    ) -> [String: Entry] {
        cache.startPass()
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: path)
        } catch {
            if !error.isMissing { notes.add(error, of: .store) }
            return [:]
        }
        notes.directories.append(path)
        var entries: [String: Entry] = [:]
        for name in directory.names(where: isWanted, &notes) {
            do throws(MetadataFault) {
                let child = try directory.child(name)
                entries[name] = entry(name, child, files, &notes, parse)
            } catch {
                // What is gone was removed meanwhile.
                if !error.isMissing { entries[name] = Entry(faults: [error]) }
            }
        }
        return entries
    }

    private mutating func entry(
        _ name: String, _ directory: MetadataDirectory, _ files: [String], _ notes: inout ReadingNotes,
        _ parse: (MetadataDirectory, String, inout ReadingNotes) throws(MetadataFault) -> Value
    ) -> Entry {
        notes.directories.append(directory.path)
        let stamps = files.map(directory.stamp)
        if let known = cache.value(of: name, stamps: stamps) { return known }
        do throws(MetadataFault) {
            let entry = Entry(value: try parse(directory, name, &notes))
            cache.keep(entry, for: name, stamps: stamps)
            return entry
        } catch {
            let entry = Entry(value: cache.lastValue(of: name)?.value, faults: [error])
            cache.keep(entry, for: name, stamps: error.isOfContent ? stamps : nil)
            return entry
        }
    }
}
