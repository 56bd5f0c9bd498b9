import Accounting

extension ContainersStorageAssembly {
    /// All below the root that is no layer, log, volume or download.
    ///
    /// One pattern stands for all directories of a kind, unless there is one among them that is nobody's: then each
    /// is named, for that one must count here.
    var overhead: OverheadFact {
        let data = paths.below(paths.data)
        let containers = paths.below(paths.containers)
        let volumes = paths.below(paths.volumes)
        var excluded: [PathPattern] = wholeDirectories.map { PathPattern(exactly: "\(data)/\($0)") }
        let below = paths.driver == .vfs ? "" : "/diff"
        if hasAllDifferences {
            excluded.append(PathPattern(stringLiteral: "\(data)/*\(below)"))
        } else {
            excluded += layerFacts.map(\.id).filter { contents.layers[$0] != nil }.map {
                PathPattern(exactly: "\(data)/\($0)\(below)")
            }
        }
        if contents.userData.isComplete {
            excluded.append(PathPattern(stringLiteral: "\(containers)/*/\(UserData.directory)/ctr.log*"))
        } else {
            excluded += contents.userData.entries.filter(\.value.hasLog).keys.sorted().map { id in
                var pattern = PathPattern(exactly: "\(containers)/\(id)/\(UserData.directory)")
                pattern.names.append(UserData.log)
                return pattern
            }
        }
        if contents.volumes.isComplete {
            excluded.append(PathPattern(stringLiteral: "\(volumes)/*/\(VolumeDirectories.data)"))
        } else {
            excluded += contents.volumes.volumes.map {
                PathPattern(exactly: "\(volumes)/\($0.name)/\(VolumeDirectories.data)")
            }
        }
        for tree in trees where tree.kind == .inFlight {
            excluded.append(PathPattern(stringLiteral: paths.below(tree.directory) + "/*"))
        }
        return OverheadFact(directory: paths.root, excluded: excluded, groups: groups)
    }

    /// What goes with one object; the lists and locks beside them are in none.
    private var groups: [PathPattern] {
        // By the first digits of the id, so that `overlay/l` and `containers.json` are none.
        let digits = "0123456789abcdef".map(String.init)
        let ofContainers = digits.filter { $0 != "c" } + digits.map { "c" + $0 }
        var starts = [
            (paths.below(paths.layers), digits), (paths.below(paths.images), digits),
            (paths.below(paths.containers), ofContainers), (paths.below(paths.volumes), [""]),
        ]
        if paths.driver == .overlay {
            let data = paths.below(paths.data)
            starts += [(data, digits), ("\(data)/\(LayerDirectories.links)", [""])]
        }
        var groups = starts.flatMap { directory, prefixes in
            prefixes.map { PathPattern(stringLiteral: "\(directory)/\($0)*") }
        }
        // Any other id that an engine was given.
        let named =
            layerFacts.flatMap(\.metadata) + imageFacts.flatMap(\.metadata)
            + containerFacts.flatMap(\.metadata)
        for path in named.map(PathPattern.init(exactly:)) {
            let names = path.names.map(\.prefix)
            if !groups.contains(where: { $0.matches(names) }) { groups.append(path) }
        }
        return groups
    }
}
