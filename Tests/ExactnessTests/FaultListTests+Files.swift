import Accounting
import Foundation
import Glibc
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

extension FaultListTests {
    /// Writes `bytes` through a descriptor.
    private func fill(_ descriptor: Int32, _ bytes: Int) {
        #expect(write(descriptor, [UInt8](repeating: 7, count: bytes), bytes) == bytes)
    }

    private func open(_ path: String, _ flags: Int32 = O_CREAT | O_RDWR) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        #expect(descriptor >= 0, "\(path): \(String(cString: strerror(errno)))")
        return descriptor
    }

    /// Has the kernel drop names that nobody uses, where that is allowed.
    private func forgetNames() {
        let file = Glibc.open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "2", 1)
        close(file)
    }

    @Test(
        "6: a file with several names is counted once and right, by whichever name it is written or removed",
        arguments: [Configuration.Way.plain, .overlay, .overlayWithAll])
    func hardLinks(way: Configuration.Way) async throws {
        try await FollowedLayer.with(way) { layer in
            mkdir(layer.root + "/s", 0o755)
            try await layer.settle()
            let names = ["one", "s/two", "three"].map { layer.root + "/" + $0 }
            for removed in 0..<names.count {
                for written in 0..<names.count {
                    let file = open(names[written])
                    fill(file, 10_000)
                    for name in names where name != names[written] {
                        #expect(link(names[written], name) == 0)
                    }
                    try await layer.compare("linked")
                    fill(file, 100_000)
                    try await layer.compare("written by the first name")
                    unlink(names[removed])
                    fill(file, 50_000)
                    try await layer.compare("written when name \(removed) was gone, opened by \(written)")
                    if let other = names.indices.first(where: { $0 != removed }) {
                        let again = open(names[other], O_WRONLY | O_APPEND)
                        fill(again, 30_000)
                        close(again)
                    }
                    forgetNames()
                    fill(file, 20_000)
                    try await layer.compare("written after the kernel forgot names")
                    for name in names { unlink(name) }
                    fill(file, 90_000)
                    try await layer.compare("without a name")
                    close(file)
                }
            }
        }
    }

    @Test("6: a name that comes and goes between two looks leads to the file that was written by it")
    func ephemeralLink() async throws {
        try await FollowedLayer.with { layer in
            let path = layer.path + "/known"
            close(open(path))
            try await layer.settle()
            #expect(link(path, layer.path + "/passing") == 0)
            let file = open(layer.path + "/passing", O_WRONLY)
            unlink(layer.path + "/passing")
            try await layer.settle()
            for round in 0..<5 {
                fill(file, 1 << 20)
                try await layer.compare("round \(round)")
            }
            close(file)
        }
    }

    @Test(
        "7: a file without a name costs nothing until it gets one, and is followed from then on",
        arguments: [Configuration.Way.plain, .overlay])
    func nameless(way: Configuration.Way) async throws {
        try await FollowedLayer.with(way) { layer in
            try await layer.settle()
            let file = RandomSystemCalls.openNameless(in: layer.root)
            try #require(file >= 0)
            fill(file, 300_000)
            try await layer.compare("without a name")
            #expect(RandomSystemCalls.link(file, as: layer.root + "/named"))
            try await layer.compare("named")
            fill(file, 500_000)
            try await layer.compare("written by the descriptor that it was made with")
            close(file)
            try await layer.compare("closed")
        }
    }

    @Test("7: a file that was removed and grows changes no figure and causes no looks at everything")
    func removedAndGrowing() async throws {
        try await FollowedLayer.with { layer in
            let file = open(layer.path + "/file")
            fill(file, 1_000)
            try await layer.settle()
            unlink(layer.path + "/file")
            try await layer.settle()
            let before = layer.service.counters
            let piece = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<(Self.isLong ? 1_024 : 64) {
                #expect(write(file, piece, piece.count) == piece.count)
            }
            try await layer.compare()
            #expect(layer.reports.measure(FollowedLayer.key)?.sizeBytes == 0)
            #expect(layer.service.counters.fullLooks == before.fullLooks)
            close(file)
            try await layer.compare("closed")
        }
    }

    @Test(
        "8: stores into a map fill holes unheard; the figure is right when the file is closed, and by an audit before"
    )
    func maps() async throws {
        let options = TrackingOptions(auditSeconds: 1)
        try await FollowedLayer.with(options: options) { layer in
            let length = 1 << 20
            let file = open(layer.path + "/mapped")
            #expect(ftruncate(file, off_t(length)) == 0)
            let memory = try #require(mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
            try #require(memory != MAP_FAILED)
            try await layer.settle()
            for page in stride(from: 0, to: length / 2, by: 4_096) {
                memory.storeBytes(of: 7, toByteOffset: page, as: UInt8.self)
            }
            // No event: an audit finds it within its interval.
            try await wait(until: "the figure of an audit", deadline: .seconds(60)) {
                try layer.reports.measure(FollowedLayer.key) == FullWalk(walking: layer.path).total
            }
            for page in stride(from: length / 2, to: length, by: 4_096) {
                memory.storeBytes(of: 7, toByteOffset: page, as: UInt8.self)
            }
            munmap(memory, length)
            close(file)
            try await layer.compare("closed")
        }
    }

    @Test(
        "9: what changes blocks and size in unusual ways is counted",
        arguments: [
            ": > f; fallocate -n -l 2000000 f; echo x >> f",
            "head -c 900000 /dev/zero > f; fallocate -p -o 40960 -l 400000 f",
            "head -c 900000 /dev/zero > f; fallocate -c -o 0 -l 409600 f || rm f",
            "truncate -s 5G f; truncate -s 100 f; truncate -s 1G f", "ln -s $(printf 'x%.0s' $(seq 1000)) f",
            "head -c 5000000 /dev/urandom > f; cp --reflink=auto f g; echo x >> g; truncate -s 3000000 f",
            "mknod p p; mkdir d; chmod 700 d; touch -d 2001-01-01 d", "head -c 900000 /dev/zero > f; : > f",
        ], LoopFileSystem.Kind.allCases)
    func unusual(script: String, kind: LoopFileSystem.Kind) async throws {
        try await FollowedLayer.with(on: kind) { layer in
            try await layer.settle()
            try await layer.sh(script)
            try await layer.compare()
            try await layer.compare("written back", isWrittenBack: true)
        }
    }

    @Test(
        "9: an attribute so large that it takes a block is counted", arguments: LoopFileSystem.Kind.allCases)
    func attribute(kind: LoopFileSystem.Kind) async throws {
        try await FollowedLayer.with(on: kind) { layer in
            mkdir(layer.path + "/d", 0o755)
            close(open(layer.path + "/f"))
            try await layer.settle()
            for name in ["d", "f"] {
                #expect(
                    RandomSystemCalls.setAttribute("user.large", bytes: 3_000, of: "\(layer.path)/\(name)"))
            }
            try await layer.compare()
        }
    }

    @Test("10: blocks that ext4 adds at writeback are in the figure by themselves within the settling time")
    func extentBlocks() async throws {
        try await settles(on: .ext4, within: Self.isLong ? 45 : 20) { layer in
            let file = open(layer.path + "/sparse")
            for index in 0..<200 { _ = pwrite(file, "x", 1, off_t(index) * 40_960) }
            close(file)
        }
    }

    @Test("10: a block that ext4 takes back at writeback from a file that was cut is out of the figure")
    func mapBlock() async throws {
        try await FollowedLayer.with(on: .ext4) { layer in
            try await layer.settle()
            let file = open(layer.path + "/cut")
            for index in 0..<6 { _ = pwrite(file, "x", 1, off_t(index) * 8_192) }
            // The rest is written back for that, in more extents than the inode has room for.
            #expect(RandomSystemCalls.collapse(file, at: 0, length: 4_096))
            ftruncate(file, 20_000)
            _ = pwrite(file, "x", 1, 0)
            close(file)
            let before = try FullWalk(walking: layer.path).total
            try await layer.settle()
            try await layer.compare(isWrittenBack: true)
            #expect(try FullWalk(walking: layer.path).total.diskBytes == before.diskBytes - 4_096)
        }
    }

    @Test(
        "10: blocks that XFS holds for appending are out of the figure by themselves within the settling time"
    )
    func preallocation() async throws {
        try await settles(on: .xfs, within: Self.isLong ? 330 : 20) { layer in
            for _ in 0..<20 {
                let file = open(layer.path + "/appended", O_CREAT | O_WRONLY | O_APPEND)
                fill(file, 800_000)
                close(file)
            }
        }
    }

    /// The figure must become a walk's without a question.
    ///
    /// In the short form the kernel is made to write back at once, and files are looked at again after one and two
    /// seconds; in the long form nothing is hurried.
    private func settles(
        on kind: LoopFileSystem.Kind, within seconds: Int, _ work: (FollowedLayer) throws -> Void
    ) async throws {
        var options = TrackingOptions(auditSeconds: 3_600)
        if !Self.isLong { options.settling.looksAfterSeconds = [1, 2] }
        try await FollowedLayer.with(on: kind, options: options) { layer in
            try await layer.settle()
            try work(layer)
            if !Self.isLong { try layer.sync() }
            let start = ContinuousClock.now
            var truth = try FullWalk(walking: layer.path).total
            // Blocks may still go after the figure was right once.
            try await wait(until: "the figure of a walk", deadline: .seconds(seconds + 30)) {
                truth = try FullWalk(walking: layer.path).total
                let isOver = ContinuousClock.now - start > .seconds(Self.isLong ? seconds - 10 : 3)
                return isOver && layer.reports.measure(FollowedLayer.key) == truth
            }
        }
    }
}
