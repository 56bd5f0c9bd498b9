import Accounting
import Foundation
import Kernel
import SystemPackage
import Testing
import UsageTestKit

@testable import Tracking

@Suite("One layer's tracker")
struct LayerTrackerTests {
    @Test("a directory that is removed while it is looked at leaves the others as they are")
    func removedWhileListed() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(mkdir(scratch("gone"), 0o755) == 0)
        let files = try DisturbedFileSystem(path: scratch.path)
        files.beforeListing = { rmdir(scratch("gone")) }
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.failure == nil)
        try files.deliver(to: tracker)
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.isSettled)
        #expect(try tracker.measure.total == FullWalk(walking: scratch.path).total)
    }

    /// Does what a barrier does, and compares with a walk.
    private func settle(
        _ tracker: LayerTracker<DisturbedFileSystem>, _ files: DisturbedFileSystem,
        _ scratch: ScratchDirectory
    ) throws {
        try files.settle(tracker)
        #expect(tracker.isSettled)
        #expect(try tracker.measure.total == FullWalk(walking: scratch.path).total)
    }

    enum Notice: CaseIterable { case batchBefore, sameBatch, lookBefore, lost }

    @Test(
        "a file stays right that is open by a name nobody saw, in a directory that went",
        arguments: Notice.allCases)
    func openInDirectoryThatWent(_ notice: Notice) async throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(mkdir(scratch("directory"), 0o755) == 0)
        makeFiles(["linked", "other"], in: scratch)
        let other = try FileStatus.of(path: scratch("other"))
        try await wait(until: "a change to have a later time") { changeTimeNanoseconds() > other.changed }
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        var drainedAt = changeTimeNanoseconds()
        tracker.queuedSince = { drainedAt }
        func look() throws {
            let began = changeTimeNanoseconds()
            try settle(tracker, files, scratch)
            drainedAt = began
        }
        try look()

        #expect(link(scratch("linked"), scratch("directory/name")) == 0)
        let opened = try FileDescriptor.open(scratch("directory/name"), .writeOnly)
        defer { try? opened.close() }
        #expect(unlink(scratch("directory/name")) == 0)
        if notice == .batchBefore { try look() }
        #expect(rmdir(scratch("directory")) == 0)
        if notice == .lookBefore {
            tracker.lookAgain()
            _ = tracker.runBatch(now: 0) {}
        }
        if notice == .lost {
            _ = try files.inotify.drainRecords { _ in }
            tracker.noteOverflow()
        }
        try look()
        #expect(tracker.unheard == [try FileStatus.of(path: scratch("linked")).identity.inode])
        try opened.resize(to: 50_000)
        try look()
    }

    /// A tracker that has looked at a layer with files of ten bytes.
    private func track(
        _ names: [String], in scratch: ScratchDirectory
    ) throws -> (LayerTracker<DisturbedFileSystem>, DisturbedFileSystem) {
        makeFiles(names, in: scratch)
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        try settle(tracker, files, scratch)
        return (tracker, files)
    }

    /// Files of ten bytes.
    private func makeFiles(_ names: [String], in scratch: ScratchDirectory) {
        for name in names {
            #expect(FileManager.default.createFile(atPath: scratch(name), contents: Data(count: 10)))
        }
    }

    enum Loss: CaseIterable { case toFileMovedOver, toFileMadeLater }

    @Test(
        "a file stays right that lost the name it is open by before anyone looked at that",
        arguments: Loss.allCases)
    func nameLostBeforeLook(_ loss: Loss) throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let (tracker, files) = try track(["second"], in: scratch)
        func look() throws { try settle(tracker, files, scratch) }

        let opened = try FileDescriptor.open(
            scratch("name"), .writeOnly, options: .create, permissions: .ownerReadWrite)
        defer { try? opened.close() }
        #expect(link(scratch("name"), scratch("kept")) == 0)
        try files.deliver(to: tracker)
        // Between the reading of the events and the look.
        switch loss {
        case .toFileMovedOver: #expect(rename(scratch("second"), scratch("name")) == 0)
        case .toFileMadeLater: #expect(unlink(scratch("name")) == 0)
        }
        _ = tracker.runBatch(now: 0) {}
        try look()
        if loss == .toFileMadeLater {
            makeFiles(["name"], in: scratch)
            try look()
        }
        try opened.resize(to: 50_000)
        try look()
    }

    enum Lost: CaseIterable { case onlyName, lastOfTwo }

    @Test(
        "a file stays right that looks lost before events told of its next name", arguments: Lost.allCases)
    func lostBeforeItsEvents(_ lost: Lost) throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        for name in ["first", "other"] {
            #expect(FileManager.default.createFile(atPath: scratch(name), contents: nil))
        }
        if lost == .lastOfTwo { #expect(link(scratch("first"), scratch("second")) == 0) }
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        func look() throws { try settle(tracker, files, scratch) }
        try look()

        let opened = try FileDescriptor.open(scratch("first"), .writeOnly)
        defer { try? opened.close() }
        switch lost {
        case .onlyName: try opened.resize(to: 100)
        case .lastOfTwo: #expect(rename(scratch("other"), scratch("first")) == 0)
        }
        try files.deliver(to: tracker)
        // Between the reading of the events and the look.
        switch lost {
        case .onlyName:
            #expect(link(scratch("first"), scratch("next")) == 0)
            #expect(unlink(scratch("first")) == 0)
        case .lastOfTwo: #expect(rename(scratch("second"), scratch("next")) == 0)
        }
        _ = tracker.runBatch(now: 0) {}
        try look()
        try opened.resize(to: 50_000)
        try look()
    }

    @Test("files with several names in the layer are not looked at by each question")
    func severalNames() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(FileManager.default.createFile(atPath: scratch("first"), contents: nil))
        #expect(link(scratch("first"), scratch("second")) == 0)
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        try files.settle(tracker)
        tracker.markUnsettled()
        #expect(!tracker.hasRestats)
    }

    @Test("a file stays right that is written by an unseen name while that is another's for a moment")
    func writtenByNameOfAnother() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        makeFiles(["file", "other"], in: scratch)
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        func look() throws { try settle(tracker, files, scratch) }
        try look()

        #expect(link(scratch("file"), scratch("name")) == 0)
        let opened = try FileDescriptor.open(scratch("name"), .writeOnly)
        defer { try? opened.close() }
        #expect(unlink(scratch("name")) == 0)
        try look()
        #expect(rename(scratch("other"), scratch("name")) == 0)
        try opened.resize(to: 50_000)
        #expect(rename(scratch("name"), scratch("other")) == 0)
        try look()
    }

    @Test("the first look leaves those files alone that nobody wrote for longer than blocks take to settle")
    func oldFilesAreSettled() async throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        for index in 0..<100 {
            try Data(repeating: 1, count: 10).write(to: URL(fileURLWithPath: scratch("old\(index)")))
        }
        let written = try FileStatus.of(path: scratch("old99")).changed
        try await wait(until: "the files to be older than a second") {
            realtimeNanoseconds() > written + 1_000_000_000
        }
        try Data(repeating: 1, count: 10).write(to: URL(fileURLWithPath: scratch("young")))
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [1])
        _ = tracker.runBatch(now: 0) {}
        let looks = tracker.counters.looks
        tracker.markUnsettled()
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.counters.looks == looks + 1)

        // A write that an event told of settles, whatever the clock says.
        try Data(repeating: 1, count: 20).write(to: URL(fileURLWithPath: scratch("old0")))
        try files.deliver(to: tracker)
        _ = tracker.runBatch(now: 0) {}
        tracker.markUnsettled()
        let more = tracker.counters.looks
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.counters.looks == more + 2)
    }

    @Test(
        "a watch that the kernel has no memory for, or no more of, makes the layer one to poll, until there is",
        arguments: [
            (Errno.noMemory, "no memory"), (.noSpace, "fs.inotify.max_user_watches"),
            (.diskQuotaExceeded, "tracking.watch_budget"), (.tooManyOpenFiles, "LimitNOFILE="),
        ])
    func watchFails(errno: Errno, advice: String) throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(mkdir(scratch("first"), 0o755) == 0)
        let files = try DisturbedFileSystem(path: scratch.path)
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.isSettled)
        files.watchFailure = KernelError(call: "inotify_add_watch", errno: errno)
        #expect(mkdir(scratch("second"), 0o755) == 0)
        try files.deliver(to: tracker)
        _ = tracker.runBatch(now: 0) {}
        guard case .untrackable(let reason) = tracker.failure else {
            Issue.record("\(String(describing: tracker.failure))")
            return
        }
        #expect(reason.contains(advice))
        #expect(!tracker.isAnswered)
        #expect(tracker.watchCount == 0)
        files.watchFailure = nil
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.isAnswered)
        #expect(try tracker.measure.total == FullWalk(walking: scratch.path).total)
    }

    /// A layer with a file that has a second name outside, by which it can be written without an event.
    private func trackLinkedFile(
        in scratch: ScratchDirectory, settleSeconds: [Int]
    ) throws -> (LayerTracker<DisturbedFileSystem>, DisturbedFileSystem) {
        #expect(mkdir(scratch("in"), 0o755) == 0)
        try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: scratch("in/a")))
        #expect(link(scratch("in/a"), scratch("outside")) == 0)
        let files = try DisturbedFileSystem(path: scratch("in"))
        let tracker = LayerTracker(fileSystem: files, settleSeconds: settleSeconds)
        _ = tracker.runBatch(now: 0) {}
        return (tracker, files)
    }

    @Test("a file stays right that is open by a name elsewhere and loses that while it is renamed")
    func renamedWhileUnlinkedElsewhere() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let (tracker, files) = try trackLinkedFile(in: scratch, settleSeconds: [])
        // Which of the two names is looked at first is by chance.
        for round in 0..<20 {
            let (name, next) = (round == 0 ? "in/a" : "in/\(round)", "in/\(round + 1)")
            let outside = scratch("outside")
            if round > 0 { #expect(link(scratch(name), outside) == 0) }
            tracker.audit()
            _ = tracker.runBatch(now: 0) {}
            let opened = try FileDescriptor.open(outside, .writeOnly)
            defer { try? opened.close() }
            #expect(unlink(outside) == 0)
            #expect(rename(scratch(name), scratch(next)) == 0)
            try files.deliver(to: tracker)
            _ = tracker.runBatch(now: 0) {}
            #expect(tracker.unheard.contains(try FileStatus.of(path: scratch(next)).identity.inode))
            try opened.resize(to: 50_000 + Int64(round))
            tracker.markUnsettled()
            _ = tracker.runBatch(now: 0) {}
            #expect(tracker.isSettled)
            #expect(try tracker.measure.total == FullWalk(walking: scratch("in")).total)
            tracker.unheard = []
        }
    }

    /// What is done to the files `a`, `b` and `c` before the tracker looks again, and whether all of it is told by then.
    enum NameOfAnother: CaseIterable {
        case exchanged, exchangedInTwoReads, replacedAndMovedOn, writtenAndReplaced
    }

    @Test(
        "a file stays right that is open by a name it had unseen, which is another file's now",
        arguments: NameOfAnother.allCases)
    func openByNameOfAnother(_ way: NameOfAnother) throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let (tracker, files) = try track(["a", "b", "c"], in: scratch)
        let opened: FileDescriptor
        switch way {
        case .exchanged, .exchangedInTwoReads:
            // What was `a` is `b`.
            #expect(FileCalls.exchange(scratch("a"), scratch("b")) == 0)
            var events: [InotifyEvent] = []
            _ = try files.inotify.drain { events.append($0) }
            opened = try FileDescriptor.open(scratch("b"), .writeOnly)
            #expect(link(scratch("b"), scratch("other")) == 0)
            #expect(rename(scratch("c"), scratch("b")) == 0)
            let (first, second) = (events.prefix(2), events.dropFirst(2))
            #expect(first.map(\.mask) == [.movedFrom, .movedTo] && second.count == 2)
            for event in first { tracker.note(event) }
            if way == .exchangedInTwoReads { _ = tracker.runBatch(now: 0) {} }
            for event in second { tracker.note(event) }
            if way == .exchanged { _ = tracker.runBatch(now: 0) {} }
        case .replacedAndMovedOn:
            #expect(link(scratch("a"), scratch("d")) == 0)
            opened = try FileDescriptor.open(scratch("d"), .writeOnly)
            #expect(rename(scratch("b"), scratch("d")) == 0)
            #expect(rename(scratch("d"), scratch("e")) == 0)
            #expect(FileManager.default.createFile(atPath: scratch("d"), contents: Data(count: 20)))
        case .writtenAndReplaced:
            #expect(link(scratch("a"), scratch("d")) == 0)
            opened = try FileDescriptor.open(scratch("d"), .writeOnly)
            try opened.resize(to: 9_000)
            try files.deliver(to: tracker)
            #expect(rename(scratch("b"), scratch("d")) == 0)
            _ = tracker.runBatch(now: 0) {}
        }
        defer { try? opened.close() }
        try settle(tracker, files, scratch)
        try opened.resize(to: 50_000)
        try settle(tracker, files, scratch)
    }

    /// How a name comes to be another file's in a directory that is watched and was never listed, and what is looked at
    /// when that is told.
    enum FirstListing: CaseIterable {
        case lost, lostThenEverything, replaced, replacedThenEverything

        var isReplaced: Bool { self == .replaced || self == .replacedThenEverything }
        var isEverything: Bool { self == .lostThenEverything || self == .replacedThenEverything }
    }

    @Test(
        "a file stays right that is open by a name it loses while its directory is looked at for the first time",
        arguments: FirstListing.allCases)
    func openByNameLostAtFirst(_ way: FirstListing) throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(mkdir(scratch("new"), 0o755) == 0)
        makeFiles(["new/a", "c"], in: scratch)
        let opened = try FileDescriptor.open(scratch("new/a"), .writeOnly)
        defer { try? opened.close() }
        let files = try DisturbedFileSystem(path: scratch.path)
        files.beforeListing = {
            #expect(link(scratch("new/a"), scratch("new/b")) == 0)
            if way.isReplaced {
                #expect(rename(scratch("c"), scratch("new/a")) == 0)
            } else {
                #expect(unlink(scratch("new/a")) == 0)
            }
        }
        let tracker = LayerTracker(fileSystem: files, settleSeconds: [])
        _ = tracker.runBatch(now: 0) {}
        if !way.isReplaced {
            #expect(rename(scratch("c"), scratch("new/a")) == 0)
        }
        try files.deliver(to: tracker)
        if way.isEverything { tracker.lookAgain() }
        try settle(tracker, files, scratch)
        try opened.resize(to: 50_000)
        try settle(tracker, files, scratch)
    }

    @Test("an audit that no event asked for corrects what no event told, and says by how much")
    func correction() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let (tracker, files) = try trackLinkedFile(in: scratch, settleSeconds: [])
        tracker.auditUnasked()
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.correction == nil)
        let before = tracker.measure.total
        #expect(truncate(scratch("outside"), 9_000) == 0)
        try files.deliver(to: tracker)
        #expect(!tracker.hasPending)
        tracker.auditUnasked()
        _ = tracker.runBatch(now: 0) {}
        #expect(try tracker.measure.total == FullWalk(walking: scratch("in")).total)
        #expect(tracker.correction == tracker.measure.total - before)
        #expect(tracker.correction?.sizeBytes == 4_000)
        #expect(tracker.counters.corrections == 1)
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.correction == nil)
    }

    @Test("a difference that events may have told, or that blocks may have that settle, is no correction")
    func noCorrection() throws {
        let scratch = try ScratchDirectory("tracker")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let (tracker, files) = try trackLinkedFile(in: scratch, settleSeconds: [35])
        // Events wait before the audit.
        #expect(truncate(scratch("in/a"), 6_000) == 0)
        try files.deliver(to: tracker)
        tracker.auditUnasked()
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.measure.total.sizeBytes == 6_000)
        // Events come between the audit's being due and its being made.
        tracker.auditUnasked()
        #expect(truncate(scratch("in/a"), 6_500) == 0)
        try files.deliver(to: tracker)
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.measure.total.sizeBytes == 6_500)
        // Events come during the audit.
        tracker.auditUnasked()
        #expect(truncate(scratch("in/a"), 7_000) == 0)
        _ = tracker.runBatch(now: 0) { _ = try? files.deliver(to: tracker) }
        #expect(tracker.measure.total.sizeBytes == 7_000)
        _ = tracker.runBatch(now: 0) {}
        // The file was written lately and settles.
        #expect(truncate(scratch("outside"), 8_000) == 0)
        tracker.auditUnasked()
        _ = tracker.runBatch(now: 0) {}
        #expect(tracker.measure.total.sizeBytes == 8_000)
        #expect(tracker.counters.corrections == 0)
        #expect(tracker.correction == nil)
    }
}
