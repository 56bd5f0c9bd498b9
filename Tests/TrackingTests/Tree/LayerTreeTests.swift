import Accounting
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

/// A tree of names, files and directories in plain dictionaries.
private struct PlainTree {
    var names: [Place: UInt64] = [:]
    var files: [UInt64: FileStatus] = [:]
    var directories: [UInt64: (place: Place, allocated: Int64)] = [:]

    var disk: Int128 {
        files.values.reduce(0) { $0 + Int128($1.allocated) }
            + directories.values.reduce(0) { $0 + Int128($1.allocated) }
    }
    var size: Int128 { files.values.reduce(0) { $0 + Int128($1.size) } }

    func places(of inode: UInt64) -> Set<Place> {
        Set(names.filter { $0.value == inode }.keys)
    }

    var linkedOutside: Set<UInt64> {
        Set(files.filter { Int($0.value.links) > places(of: $0.key).count }.keys)
    }

    mutating func remove(_ place: Place) {
        guard let inode = names.removeValue(forKey: place) else { return }
        if places(of: inode).isEmpty { files[inode] = nil }
    }

    /// Those in it, at any depth, and itself.
    func below(_ directory: UInt64) -> Set<UInt64> {
        var all: Set = [directory]
        var before = 0
        while before != all.count {
            before = all.count
            for (inode, known) in directories
            where all.contains(known.place.directory) && names[known.place] == inode { all.insert(inode) }
        }
        return all
    }

    mutating func drop(_ directory: UInt64) {
        let gone = below(directory)
        if let place = directories[directory]?.place, names[place] == directory { names[place] = nil }
        for place in names.keys where gone.contains(place.directory) { remove(place) }
        for inode in gone { directories[inode] = nil }
    }
}

@Suite("Tree of a layer")
struct LayerTreeTests {
    private static func status(
        _ inode: UInt64, _ kind: FileStatus.Kind, _ random: inout SeededGenerator
    ) -> FileStatus {
        // As large as can be, at times, for the sums must stay right.
        let isHuge = Int.random(in: 0..<50, using: &random) == 0
        return FileStatus(
            identity: .init(device: 1, inode: inode), kind: kind,
            links: UInt32.random(in: 1..<4, using: &random),
            size: isHuge ? .max : Int64.random(in: 0..<1_000_000, using: &random),
            allocated: isHuge ? .max : Int64.random(in: 0..<2_000, using: &random) * 512, changed: 0)
    }

    @Test(
        "whatever is done, names, figures and links are those of a plain model",
        arguments: [(names: 6, inodes: 40), (names: 60, inodes: 400)])
    func randomly(_ size: (names: Int, inodes: Int)) throws {
        for _ in 0..<10 {
            let seed = UInt64.random(in: 0...UInt64.max)
            var random = SeededGenerator(seed: seed)
            let rootStatus = Self.status(1, .directory, &random)
            var tree = LayerTree(root: rootStatus, watch: 1, countsRoot: true)
            var model = PlainTree()
            model.directories[1] = (
                Place(directory: 0, name: FileName(bytes: [])), rootStatus.allocated
            )
            for step in 0..<600 {
                let directory = model.directories.keys.sorted().randomElement(using: &random) ?? 1
                let place = Place(
                    directory: directory,
                    name: FileName("n\(Int.random(in: 0..<size.names, using: &random))"))
                let inode = UInt64.random(in: 2..<UInt64(size.inodes), using: &random)
                let isDirectory = model.directories[inode] != nil
                switch Int.random(in: 0..<20, using: &random) {
                case 0..<11 where !isDirectory:
                    let status = Self.status(inode, .regular, &random)
                    if model.names[place] != inode { model.remove(place) }
                    _ = tree.setFile(status, at: place)
                    model.names[place] = inode
                    model.files[inode] = status
                case 11..<14:
                    _ = tree.removeName(place)
                    model.remove(place)
                case 14 where model.files[inode] != nil:
                    _ = tree.dropFile(inode)
                    for place in model.places(of: inode) { model.remove(place) }
                case 15, 16:
                    guard model.files[inode] == nil, inode != 1 else { continue }
                    if !isDirectory {
                        let status = Self.status(inode, .directory, &random)
                        model.remove(place)
                        tree.addDirectory(status, at: place, watch: Int32(inode))
                        model.names[place] = inode
                        model.directories[inode] = (place, status.allocated)
                    } else if !model.below(inode).contains(directory) {
                        if let old = model.directories[inode]?.place, model.names[old] == inode {
                            model.names[old] = nil
                        }
                        model.remove(place)
                        tree.moveDirectory(inode, to: place)
                        model.names[place] = inode
                        model.directories[inode]?.place = place
                    }
                case 17 where isDirectory:
                    let gone = model.below(inode)
                    var unwatched: Set<UInt64> = []
                    _ = tree.dropDirectory(inode) { inode, watch in
                        #expect(watch == Int32(inode), "seed \(seed) step \(step)")
                        unwatched.insert(inode)
                    } other: { _ in
                    }
                    #expect(unwatched == gone, "seed \(seed) step \(step)")
                    model.drop(inode)
                case 18 where isDirectory:
                    let allocated = Int64.random(in: 0..<100, using: &random) * 4_096
                    _ = tree.setDirectory(inode, allocated: allocated)
                    model.directories[inode]?.allocated = allocated
                default: break
                }
                // All of it each time would take most of a minute.
                guard step % 10 == 9 else { continue }
                try compare(tree, model, "seed \(seed) step \(step)", size.names)
            }
        }
    }

    private func compare(
        _ tree: LayerTree, _ model: PlainTree, _ comment: Comment, _ names: Int
    ) throws {
        let measure = tree.measure
        #expect(
            measure.total
                == Measure(
                    diskBytes: Int64(clamping: model.disk), sizeBytes: Int64(clamping: model.size),
                    inodes: Int64(model.files.count + model.directories.count)), comment)
        #expect(Set(measure.linkedOutside.keys.map(\.inode)) == model.linkedOutside, comment)
        for directory in model.directories.keys {
            for index in 0..<names {
                let place = Place(directory: directory, name: FileName("n\(index)"))
                try #require(tree.child(at: place) == model.names[place], comment)
            }
            let children = model.names.filter { $0.key.directory == directory }
            #expect(
                Set(tree.subdirectories(of: directory))
                    == Set(children.values.filter { model.directories[$0] != nil }), comment)
            let found = Array(
                children.keys.map(\.name).sorted { $0.bytes.count < $1.bytes.count }.dropFirst(2))
            #expect(
                Set(tree.names(in: directory, without: found))
                    == Set(children.keys.map(\.name)).subtracting(found), comment)
        }
        for inode in model.files.keys {
            let place = try #require(tree.place(ofFile: inode), comment)
            try #require(model.places(of: inode).contains(place), comment)
        }
    }

    @Test("a file of many names keeps no memory for those that went")
    func manyNames() {
        var random = SeededGenerator(seed: 1)
        var tree = LayerTree(
            root: Self.status(1, .directory, &random), watch: 1, countsRoot: true)
        func place(_ index: Int) -> Place { Place(directory: 1, name: FileName("n\(index)")) }
        let status = Self.status(2, .regular, &random)
        for index in 0..<10_000 { _ = tree.setFile(status, at: place(index)) }
        #expect(tree.names[2]?.count == 10_000)
        for index in 2..<10_000 { _ = tree.removeName(place(index)) }
        #expect(tree.names[2]?.count == 2)
        #expect((tree.names[2]?.capacity ?? 0) <= 100)
        _ = tree.removeName(place(0))
        #expect(tree.names.isEmpty)
        #expect(tree.place(ofFile: 2) == place(1))
    }
}
