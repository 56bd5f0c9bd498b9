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

    private var groups: [PathPattern] {
        // By the first digit of the id, so that `overlay/l` is none.
        let digits = "0123456789abcdef"
        var groups: [PathPattern] = []
        var directories = [paths.below(paths.layers)]
        if paths.driver == .overlay {
            let data = paths.below(paths.data)
            directories.append(data)
            groups.append(PathPattern(stringLiteral: "\(data)/\(LayerDirectories.links)/*"))
        }
        groups += directories.flatMap { directory in
            digits.map { PathPattern(stringLiteral: "\(directory)/\($0)*") }
        }
        groups.append(PathPattern(stringLiteral: paths.below(paths.images) + "/*"))
        groups.append(PathPattern(stringLiteral: paths.below(paths.containers) + "/*"))
        groups.append(PathPattern(stringLiteral: paths.below(paths.volumes) + "/*"))
        // Any other id that an engine was given.
        for group in layerFacts.flatMap(\.metadata) {
            let names = group.split(separator: "/")
            if names.count == 2, let first = names[1].first, !digits.contains(first) {
                groups.append(PathPattern(exactly: group))
            }
        }
        return groups
    }
}
