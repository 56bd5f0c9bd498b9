import Foundation
import Glibc
import Synchronization
import Testing
import UsageTestKit

@Suite("processes that tests start")
struct ChildProcessTests {
    @Test("lines of what a process left running are read from its pipe alone, whatever is opened meanwhile")
    func linesOfOthers() async throws {
        try await ScratchDirectory.with("child") { scratch in
            try #require(mkfifo(scratch("fifo"), 0o600) == 0)
            let input = try #require(FileHandle(forUpdatingAtPath: scratch("fifo")))
            let lines = Mutex<[String]>([])
            func tell(_ line: String, expecting count: Int) async throws {
                try input.write(contentsOf: Data("\(line)\n".utf8))
                try await wait(until: "\(count) lines", deadline: .seconds(20)) {
                    lines.withLock { $0.count } >= count
                }
            }

            let child = try await ChildProcess.start(
                ["sh", "-c", #"cat "$0" &"#, scratch("fifo")],
                output: .lines { line in lines.withLock { $0.append(line) } })
            try await tell("one", expecting: 1)
            try await child.ended(within: .seconds(20))
            // One of these has the number of the child's pipe, if that was closed.
            let pipes = (0..<64).map { _ in Pipe() }
            for pipe in pipes { try pipe.fileHandleForWriting.write(contentsOf: Data("of others\n".utf8)) }
            try await tell("two", expecting: 2)
            try await tell("three", expecting: 3)
            #expect(lines.withLock { $0 } == ["one", "two", "three"])
            withExtendedLifetime(pipes) {}
        }
    }
}
