import Foundation
import Kernel
import Testing

/// The inputs that the fuzzer starts from, and those that it found, as ordinary tests.
@Suite("Corpus of the fuzzer")
struct CorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Corpus")

    @Test("every property holds for every input that is kept", arguments: FuzzTarget.all.map(\.name))
    func replay(name: String) async throws {
        let target = try #require(FuzzTarget.named(name))
        let folder = Self.corpus.appendingPathComponent(name)
        let inputs = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(!inputs.isEmpty)
        for input in inputs {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(input)))
            await #expect(throws: Never.self, "Fuzz/Corpus/\(name)/\(input)") {
                try await Self.run(target, bytes)
            }
        }
    }

    /// A target waits for what runs on the threads that all tests share, so it has one of its own.
    private static func run(_ target: FuzzTarget, _ bytes: [UInt8]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            NamedThread.start("fuzz") {
                continuation.resume(with: Result { try target.run(bytes) })
            }
        }
    }

    @Test("each folder of the corpus has a target")
    func targets() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }
}
