internal import CFileWork
internal import Foundation
internal import Glibc
internal import Kernel

/// Does what programs do to their files, at random but the same for the same seed.
package struct RandomSystemCalls {
    private let root: String
    /// A directory on the same file system that is not the layer's, where files and directories go to and come from.
    private let outside: String?
    /// No file is cut to fewer bytes.
    ///
    /// Of a file that ext4 could hold in an inode's own map, and that was cut in the batch it came in, it cannot be told
    /// that ext4 will take a block back. An overlay does not say what it is on.
    private let smallestCut: Int
    private var generator: SeededGenerator
    private var open: [Int32] = []
    package private(set) var operations: Int64 = 0

    package init(root: String, seed: UInt64, outside: String? = nil) {
        self.root = root
        self.outside = outside
        let type = try? FileSystemStatus.of(path: root).type
        smallestCut = type == FileSystemMagic.xfs || type == FileSystemMagic.btrfs ? 0 : 20_000
        generator = SeededGenerator(seed: seed)
    }

    /// One operation that leaves no doubt what was written: names only come, and nothing stays open.
    ///
    /// A tracker suspects nothing then, so that no look at everything makes good what it did not find by events.
    package mutating func plainStep() {
        operations += 1
        let directory = "\(root)/plain\(number(20))"
        let path = "\(directory)/\(number(500))"
        switch number(12) {
        case 0: _ = mkdir(directory, 0o755)
        case 1...4: write(path, flags: O_CREAT | O_WRONLY | O_APPEND)
        case 5...7: change(path)
        case 8: mapAndStore(path)
        case 9: setAttribute(path)
        case 10: _ = symlink("target", path + "-link")
        default: _ = rename(path, "\(directory)/renamed\(operations)-\(number(1 << 30))")
        }
    }

    /// One operation on names out of a small set, so that they meet.
    package mutating func step() {
        operations += 1
        let path = randomPath()
        switch Int.random(in: 0..<48, using: &generator) {
        case 0...5: write(path, flags: O_CREAT | O_WRONLY | O_APPEND)
        case 6: write(path, flags: O_CREAT | O_WRONLY | O_TRUNC)
        case 7: _ = truncate(path, cutSize())
        case 8, 9: _ = Glibc.link(path, randomPath())
        case 10...12: _ = unlink(path)
        case 13...15: _ = mkdir(path, 0o755)
        case 16: makeChain()
        case 17: _ = rmdir(path)
        case 18...20: _ = rename(path, randomPath())
        case 21: FileCalls.exchange(path, randomPath())
        case 22: moveOutOrIn(path)
        case 23: _ = symlink(String(repeating: "t", count: .random(in: 1...200, using: &generator)), path)
        case 24: try? FileManager.default.removeItem(atPath: path)
        case 25, 26: keep(Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644))
        case 27: openNameless(path)
        case 28...32: changeOpen()
        case 33: nameOpen(path)
        case 34: if !open.isEmpty { close(open.remove(at: .random(in: 0..<open.count, using: &generator))) }
        case 35...39: change(path)
        case 40: mapAndStore(path)
        case 41: copy(path)
        case 42, 43: setAttribute(path)
        case 44: _ = cfilework_remove_attribute(path, "user.\(number(3))")
        case 45: _ = chmod(path, mode_t(0o600 + number(0o100)))
        case 46: passByName(path)
        default: if let descriptor = open.randomElement(using: &generator) { _ = fsync(descriptor) }
        }
    }

    /// Closes what it held open.
    package mutating func finish() {
        for descriptor in open { close(descriptor) }
        open = []
    }

    /// Opens a new file without a name (`O_TMPFILE`); -1 where that fails.
    package static func openNameless(in directory: String) -> Int32 { cfilework_open_nameless(directory) }

    /// Gives an open file a name, also its first.
    package static func link(_ descriptor: Int32, as path: String) -> Bool {
        cfilework_link_open(descriptor, path) == 0
    }

    @discardableResult
    package static func setAttribute(_ name: String, bytes: Int, of path: String) -> Bool {
        let value = [UInt8](repeating: 7, count: bytes)
        return cfilework_set_attribute(path, name, value, bytes) == 0
    }

    /// Takes bytes out of a file, which gets shorter by as many.
    package static func collapse(_ descriptor: Int32, at offset: Int, length: Int) -> Bool {
        cfilework_collapse_range(descriptor, off_t(offset), off_t(length)) == 0
    }

    // MARK: Files

    private mutating func write(_ path: String, flags: Int32) {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        fill(descriptor)
        close(descriptor)
    }

    private mutating func fill(_ descriptor: Int32) {
        let bytes = [UInt8](repeating: 7, count: Int.random(in: 1..<30_000, using: &generator))
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    private mutating func keep(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        open.append(descriptor)
        if open.count > 6 { close(open.removeFirst()) }
    }

    private mutating func openNameless(_ path: String) {
        let descriptor = Self.openNameless(in: path)
        guard descriptor >= 0 else { return }
        fill(descriptor)
        keep(descriptor)
    }

    private mutating func nameOpen(_ path: String) {
        guard let descriptor = open.randomElement(using: &generator) else { return }
        _ = Self.link(descriptor, as: path)
    }

    private mutating func changeOpen() {
        guard let descriptor = open.randomElement(using: &generator) else { return }
        change(descriptor)
    }

    private mutating func change(_ path: String) {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        change(descriptor)
        close(descriptor)
    }

    private mutating func change(_ descriptor: Int32) {
        switch number(7) {
        case 0, 1: fill(descriptor)
        case 2: _ = ftruncate(descriptor, cutSize())
        case 3:
            _ = cfilework_allocate_keeping_size(descriptor, off_t(number(200_000)), off_t(number(200_000)))
        case 4: _ = cfilework_punch_hole(descriptor, off_t(number(50)) * 4096, off_t(1 + number(20)) * 4096)
        case 5: collapse(descriptor)
        default:
            // Far apart, so that the extents do not fit into the inode.
            for _ in 0..<number(12) { _ = pwrite(descriptor, "x", 1, off_t(number(100)) * 8192) }
        }
    }

    private mutating func cutSize() -> off_t { off_t(smallestCut + number(200_000 - smallestCut)) }

    private mutating func collapse(_ descriptor: Int32) {
        let (offset, length) = (number(10) * 4096, (1 + number(5)) * 4096)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size - off_t(length) >= smallestCut else { return }
        _ = Self.collapse(descriptor, at: offset, length: length)
    }

    private mutating func mapAndStore(_ path: String) {
        let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let fewest = smallestCut / 4096 + 1
        let length = (fewest + number(41 - fewest)) * 4096
        var status = stat()
        // A store beyond the end would be a signal; the file may be cut by others, so it is cut to no less.
        guard ftruncate(descriptor, off_t(length)) == 0, fstat(descriptor, &status) == 0 else { return }
        guard let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            memory != MAP_FAILED
        else { return }
        storeUnlessCut(memory, offset: number(length), descriptor)
        munmap(memory, length)
    }

    /// Others may cut the file at any time, and a store beyond its end kills the process: the kernel does it instead,
    /// which fails with `EFAULT` and stores into the map all the same.
    private func storeUnlessCut(_ memory: UnsafeMutableRawPointer, offset: Int, _ descriptor: Int32) {
        let source = Glibc.open("/dev/zero", O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return }
        _ = read(source, memory + offset, 1)
        close(source)
    }

    /// Shares the blocks where the file system can.
    private mutating func copy(_ path: String) {
        let source = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return }
        defer { close(source) }
        let destination = Glibc.open(randomPath(), O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard destination >= 0 else { return }
        defer { close(destination) }
        if cfilework_clone(destination, source) != 0 {
            _ = cfilework_copy_range(destination, source, 200_000)
        }
    }

    private mutating func setAttribute(_ path: String) {
        Self.setAttribute("user.\(number(3))", bytes: 1 + number(3_500), of: path)
    }

    /// Writes by a name that comes and goes.
    ///
    /// It is in the root, which is watched whatever else is done: in a directory just made nothing would tell of it.
    private mutating func passByName(_ path: String) {
        let name = "\(root)/\(randomName())"
        guard Glibc.link(path, name) == 0 else { return }
        let descriptor = Glibc.open(name, O_RDWR | O_CLOEXEC)
        unlink(name)
        guard descriptor >= 0 else { return }
        fill(descriptor)
        keep(descriptor)
    }

    // MARK: Directories

    private mutating func makeChain() {
        var path = root
        for _ in 0..<5 {
            path += "/" + randomName()
            mkdir(path, 0o755)
        }
        write(path + "/" + randomName(), flags: O_CREAT | O_WRONLY)
    }

    private mutating func moveOutOrIn(_ path: String) {
        guard let outside else { return }
        let other = outside + "/" + randomName()
        if Bool.random(using: &generator) { _ = rename(path, other) } else { _ = rename(other, path) }
    }

    // MARK: Choices

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    private mutating func randomName() -> String { String("abcdef".randomElement(using: &generator) ?? "a") }

    private mutating func randomPath() -> String {
        var path = root
        for _ in 0..<Int.random(in: 1...3, using: &generator) { path += "/" + randomName() }
        return path
    }
}
