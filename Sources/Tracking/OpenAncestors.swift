internal import Kernel
internal import SystemPackage

/// Open directories on the way to the one that was opened last, from which others are opened.
///
/// Of that way the last levels are kept, and fewer the farther up, so that to open a directory some levels up again
/// passes about as many levels. A tree is thus walked in a time that its size alone decides, not its depth, with
/// as few descriptors as the logarithm of its depth.
struct OpenAncestors<Key: Hashable, Handle> {
    private struct Step {
        let key: Key
        /// Levels below the root.
        let depth: Int
        let handle: Handle
    }

    /// The levels next to the last directory that are kept.
    private static var nearest: Int { 8 }
    /// To pass fewer levels than this by their names costs less than to open one between.
    private static var finest: Int { 32 }
    /// More than are ever kept, so that few openings drop any.
    private static var limit: Int { 48 }

    /// From the root down, each above the next.
    private var steps: [Step]
    private var indices: [Key: Int]

    init(root: Key, _ handle: Handle) {
        steps = [Step(key: root, depth: 0, handle: handle)]
        indices = [root: 0]
    }

    var root: Handle { steps[0].handle }
    /// Levels from the root to the directory that was opened last.
    private(set) var depth = 0

    /// Opens a directory by way of those above it: `above` gives the one above a directory and its name there, `nil`
    /// where it hangs loose, and `open` opens what a path leads to.
    mutating func open(
        _ key: Key, above: (Key) -> (parent: Key, name: FileName)?,
        by open: (_ path: [FileName], _ from: Handle) throws(KernelError) -> Handle
    ) throws(KernelError) -> Handle {
        if indices[key] == 0 {
            depth = 0
            return steps[0].handle
        }
        var way: [(key: Key, name: FileName)] = []
        var known = key
        var base: Int?
        while base == nil {
            guard let (parent, name) = above(known) else {
                throw KernelError(call: "openat2", errno: .noSuchFileOrDirectory)
            }
            way.append((known, name))
            known = parent
            base = indices[known]
        }
        drop(after: base ?? 0)
        var handle = steps[steps.count - 1].handle
        var depth = steps[steps.count - 1].depth
        let last = depth + way.count
        var names: [FileName] = []
        for step in way.reversed() {
            depth += 1
            names.append(step.name)
            guard depth == last || depth % Self.spacing(last - depth) == 0 else { continue }
            handle = try open(names, handle)
            names.removeAll(keepingCapacity: true)
            indices[step.key] = steps.count
            steps.append(Step(key: step.key, depth: depth, handle: handle))
        }
        self.depth = last
        if steps.count > Self.limit { thin() }
        return handle
    }

    /// Forgets the directory that was opened last: it is not the one that was meant.
    mutating func forgetLast() {
        drop(after: max(0, steps.count - 2))
    }

    private mutating func drop(after index: Int) {
        while steps.count > index + 1 {
            if let step = steps.popLast() { indices[step.key] = nil }
        }
    }

    private mutating func thin() {
        let last = depth
        steps.removeAll { step in
            let distance = last - step.depth
            return distance >= Self.nearest && step.depth % Self.spacing(distance) != 0
        }
        indices = Dictionary(steps.enumerated().map { ($0.element.key, $0.offset) }) { first, _ in first }
    }

    /// Every how many levels one is kept at a distance: a power of two, so that what is kept farther away was kept
    /// nearer.
    private static func spacing(_ distance: Int) -> Int {
        max(finest, distance < 4 ? 0 : 1 << (Int.bitWidth - 2 - distance.leadingZeroBitCount))
    }
}
