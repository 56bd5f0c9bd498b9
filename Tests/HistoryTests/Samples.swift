import Accounting
import History
import UsageTestKit

enum Samples {
    static let docker = StoreIdentity(engine: "docker", driver: "overlay2", root: "/var/lib/docker")
    static let podman = StoreIdentity(
        engine: "podman", driver: "overlay", root: "/var/lib/containers/storage")

    static func digest(_ generator: inout SeededGenerator) -> String {
        let digits = Array("0123456789abcdef")
        return String((0..<64).map { _ in digits[Int.random(in: 0..<16, using: &generator)] })
    }

    static func measure(_ generator: inout SeededGenerator) -> Measure {
        // Of every magnitude, the ends of the range among them.
        func number() -> Int64 {
            Int64.random(in: 0...Int64.max, using: &generator) >> Int64.random(in: 0..<64, using: &generator)
        }
        return Measure(diskBytes: number(), sizeBytes: number(), inodes: number())
    }

    static func cached(_ generator: inout SeededGenerator, linked: Int = 0) -> CachedMeasure {
        let root = RootIdentity(
            device: generator.next(), inode: generator.next(), changed: Int64(bitPattern: generator.next()))
        var shared: [InodeKey: Measure] = [:]
        for _ in 0..<linked {
            shared[InodeKey(device: generator.next(), inode: generator.next())] = measure(&generator)
        }
        return CachedMeasure(
            root: root, directory: "/var/lib/docker/overlay2/\(digest(&generator))/diff",
            measure: LayerMeasure(total: measure(&generator), linkedOutside: shared))
    }

    static func mark(_ generator: inout SeededGenerator, layers: Int, containers: Int) -> Mark {
        var mark = Mark(
            wall: Int64(bitPattern: generator.next()), isExact: Bool.random(using: &generator))
        for number in 0..<layers {
            let store = number % 2 == 0 ? docker : podman
            let id = number % 7 == 0 ? "short-\(number)" : digest(&generator)
            mark.layers[LayerKey(store: store, id: id)] = Mark.LayerEntry(
                kind: LayerFact.Kind.allCases[number % LayerFact.Kind.allCases.count],
                measure: .zero - measure(&generator))
        }
        for number in 0..<containers {
            let store = number % 3 == 0 ? docker : podman
            mark.containers[ContainerKey(store: store, id: digest(&generator))] = Mark.ContainerEntry(
                name: "web-\(number)\u{1B}[31m\n\u{0}é", measure: measure(&generator))
        }
        mark.usedBytes = ["/": Int64.max, "/var/lib/docker": 12]
        return mark
    }
}
