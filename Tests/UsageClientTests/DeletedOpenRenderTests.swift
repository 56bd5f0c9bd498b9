import Testing
import Wire

@testable import UsageClient

@Suite("Deleted but open files as text")
struct DeletedOpenRenderTests {
    private let options = RenderOptions(width: 80, zone: .utc)

    private func status(_ state: DeletedOpenState?, _ files: DeletedOpen?) -> String {
        var status = Samples.status
        status.deletedOpen = state
        status.filesystems[0].deletedOpen = files
        status.filesystems[0].attributed.deletedOpen = files?.diskBytes
        return Render.status(status, options)
    }

    @Test("where it is known that there are none, nothing is said")
    func calm() {
        #expect(!status(DeletedOpenState(state: .complete), DeletedOpen()).contains("deleted"))
        #expect(!status(nil, nil).contains("deleted"))
        let list = ContainerList(
            time: Samples.time, exact: true, containers: [Samples.container()],
            deletedOpen: DeletedOpenState(state: .complete))
        #expect(!Render.containers(list, options).lowercased().contains("deleted"))
    }

    @Test("status names sum, holders and paths, escaped")
    func sum() {
        let text = status(DeletedOpenState(state: .complete), Samples.deletedOpen)
        #expect(
            text.contains(
                "\ndeleted, still open: 10.49MB on /var/lib/docker\n  10.49MB by nginx (pid 4711): "))
        #expect(text.contains("(pid 4711): /var/log/access.log\n  4.096kB by a\\x1b[2Jb\\x0ac"))
        #expect(text.allSatisfy { $0 == "\n" || !$0.isNewline })
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test(
        "a lower bound and an unknown figure say so with the reason, and df has no figure for what is unknown"
    )
    func incomplete() {
        let bound = DeletedOpenState(state: .atLeast, reason: "the time for one look was over")
        #expect(
            status(bound, DeletedOpen()).contains(
                "\ndeleted, still open: at least 0B (the time for one look was over)\n"))
        let unknown = DeletedOpenState(state: .unknown, reason: "needs CAP_SYS_PTRACE")
        #expect(status(unknown, nil).contains("\ndeleted, still open: unknown (needs CAP_SYS_PTRACE)\n"))
        var answer = Samples.status
        answer.deletedOpen = unknown
        answer.filesystems[0].attributed.deletedOpen = nil
        let text = Render.diskFree(answer, options)
        #expect(text.contains("  deleted, still open  unknown\n"))
        let words = text.split { $0.isWhitespace }.joined(separator: " ")
        #expect(
            words.contains(
                "note: how much deleted files take that are still open is not known (needs CAP_SYS_PTRACE)"))
    }

    @Test("containers have a column for it where one has any; inspect lists the files with who holds them")
    func containers() {
        var container = Samples.container()
        container.deletedOpen = Samples.deletedOpen
        let other = Samples.container(name: "other", disk: 1)
        let list = ContainerList(time: Samples.time, exact: true, containers: [container, other])
        let lines = Render.containers(list, options).split(separator: "\n")
        #expect(lines[0].contains("WRITABLE  DELETED OPEN"))
        #expect(lines[1].contains("21.2MB       10.49MB"))
        #expect(lines.allSatisfy { $0.count <= 80 })
        var detail = Samples.containerDetail
        detail.container = container
        let text = Render.inspect(detail, options)
        #expect(text.contains("DeletedOpen  10.49MB (10489856 bytes), deleted but still open"))
        #expect(text.contains("10.49MB  4711  nginx"))
        #expect(text.contains("/var/log/access.log"))
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test(
        "the feed tells of what is held beside the layer's size; figures at the ends of the range are no trap"
    )
    func feed() throws {
        var container = Samples.container()
        container.deletedOpen = Samples.deletedOpen
        let event = FeedEvent(type: .usage, id: 1, time: Samples.time, container: container)
        let line = try #require(Render.event(event, options))
        #expect(line.contains("web changed, still 21.2MB; 10.49MB deleted, still open"))
        for value in [Int64.min, .max] {
            let files = DeletedOpen(
                diskBytes: value, sizeBytes: value, count: value, files: Samples.deletedOpen.files)
            #expect(!status(DeletedOpenState(state: .complete), files).isEmpty)
        }
    }
}
