import Accounting
import Kernel
import SystemPackage
import Testing

@testable import Stores

@Suite("metadata that cannot be read for want of descriptors or memory")
struct ScarcityTests {
    @Test(
        "a file that may not be read is told with what the daemon needs",
        arguments: [Errno.permissionDenied, .notPermitted])
    func permission(errno: Errno) {
        let fault = MetadataFault(KernelError(call: "open", path: "/x", errno: errno), path: "/x")
        #expect(fault.severity == .damaged)
        #expect(fault.reason.hasSuffix("the daemon needs to be root or to have CAP_DAC_READ_SEARCH"))
    }

    @Test(
        "it is no damage, and is read again",
        arguments: [Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory])
    func fault(errno: Errno) {
        let error = KernelError(call: "openat", path: "config.v2.json", errno: errno)
        for fault in [
            MetadataFault(error, path: "/x"), MetadataFault(BoundedFile.Failure.system(error), path: "/x"),
        ] {
            #expect(fault.severity == .unreadable)
            #expect(!fault.isOfContent)
            #expect(!fault.isMissing)
            #expect(fault.reason != errno.description, "it says what to do")
        }
        #expect(MetadataFault(KernelError(call: "openat", errno: .ioError), path: "/x").isOfContent)
    }

    @Test("a reading that it cut short is said to be unreadable as a whole, and what it lacks no damage")
    func reading() {
        var notes = ReadingNotes()
        notes.add(.damaged("/root/other", "not JSON"), of: .image("i"))
        notes.add(
            MetadataFault(KernelError(call: "openat", errno: .tooManyOpenFiles), path: "/root/c"),
            of: .container("c"))
        notes.add(.pending("/root/mounts/c", "it does not exist"), of: .container("c"))
        let assembly = DockerAssembly(
            paths: DockerPaths(root: "/root"), data: nil, chains: LayerChains([:]), horizon: 0, notes: notes)
        let facts = assembly.reading(StoreIdentity(engine: "docker", driver: "overlay2", root: "/root")).facts
        #expect(facts.problems.map(\.severity) == [.unreadable])
        #expect(facts.problems.map(\.object) == [.store])
        #expect(facts.problems.map(\.path) == ["/root/c"])
        #expect(facts.hardened().problems == facts.problems)
    }
}
