import Accounting
import Kernel

extension DockerAssembly {
    /// Directories of the driver's that nothing names: what is in the making, and what was left over.
    mutating func add(_ unnamed: [UnnamedDirectories.Entry]) {
        for entry in unnamed {
            let id = entry.name.escaped
            guard let name = String(validating: entry.name.bytes, as: UTF8.self),
                ids.insert(id).inserted
            else {
                let reason = "its name is not UTF-8, or that of a layer; it cannot be accounted: remove it"
                notes.add(
                    .damaged("\(paths.data)/\(id)", reason), of: .layer(FileName.escapeAll(entry.name.bytes)))
                continue
            }
            layerFacts.append(
                LayerFact(
                    id: id, kind: entry.isOrphan ? .orphan : .inFlight, directory: "\(paths.data)/\(name)",
                    isFullCopy: !paths.driver.isOverlay, since: entry.isOrphan ? entry.changed : nil,
                    metadata: paths.driver.isOverlay
                        ? (links[name] ?? []).map { "\(paths.driver.directory)/l/\($0)" } : []))
            // All of it counts as the layer, not what the driver would use of it alone.
            if paths.driver.isOverlay {
                excluded.append(PathPattern(exactly: "\(paths.driver.directory)/\(name)"))
            }
            if let due = entry.due { readAgainAt = min(readAgainAt ?? due, due) }
        }
    }

    /// All that has no class of its own.
    mutating func addOverhead() {
        let layers =
            paths.driver.isOverlay ? "\(paths.driver.directory)/*/diff" : "\(paths.driver.directory)/*"
        overhead = OverheadFact(
            directory: paths.root,
            excluded: [PathPattern(stringLiteral: layers)] + excluded + paths.otherStores,
            groups: paths.groups)
    }
}
