import Foundation
import Testing
import UsageTestKit
import Wire

/// The built executables on input that is wrong; these need neither root nor an engine.
@Suite("bad input to the built executables", .serialized)
struct BadInputTests {
    @Test(
        "a wrong configuration ends the daemon with a message that names file and fault",
        arguments: TestConfigurations.wrong.indices)
    func wrongConfiguration(index: Int) async throws {
        let wrong = TestConfigurations.wrong[index]
        try await withScratch { scratch in
            let file = try scratch.write(wrong.text, to: "usaged.yaml")
            let usaged = try UsagedProcess.executable("usaged")
            let store = try scratch.directory("store")
            for arguments in [
                ["--check-config"],
                ["--socket", scratch("s"), "--state", scratch("st"), "--store", "plain=\(store)"],
            ] {
                let result = try await Command.run(
                    [usaged, "--config", file] + arguments, deadline: .seconds(15))
                #expect((1..<128).contains(result.status), "\(wrong.what): \(result)")
                let said = result.err + result.out
                #expect(said.contains(file), "\(wrong.what): \(said)")
                #expect(said.contains(wrong.names), "\(wrong.what): \(said)")
            }
        }
    }

    @Test("a good configuration passes the check")
    func goodConfiguration() async throws {
        try await withScratch { scratch in
            for text in ["", TestConfigurations.alerts] {
                let file = try scratch.write(text, to: "usaged.yaml")
                let result = try await Command.run(
                    [UsagedProcess.executable("usaged"), "--config", file, "--check-config"],
                    deadline: .seconds(15))
                #expect(result.status == 0, "\(result)")
            }
        }
    }

    @Test("a configuration that is not there or not readable as a file is named")
    func missingConfiguration() async throws {
        try await withScratch { scratch in
            for path in [scratch("missing.yaml"), try scratch.directory("a-directory")] {
                let result = try await Command.run(
                    [UsagedProcess.executable("usaged"), "--config", path, "--check-config"],
                    deadline: .seconds(15))
                #expect((1..<128).contains(result.status), "\(result)")
                #expect((result.err + result.out).contains(path), "\(result)")
            }
        }
    }

    @Test(
        "an argument that is no store is wrong usage",
        arguments: ["docker", "docker=", "nothing=/tmp", "=/tmp"])
    func wrongStore(argument: String) async throws {
        try await withScratch { scratch in
            let file = try scratch.write("", to: "usaged.yaml")
            let result = try await Command.run(
                [
                    UsagedProcess.executable("usaged"), "--config", file, "--socket", scratch("s"), "--state",
                    scratch("state"), "--store", argument,
                ], deadline: .seconds(15))
            #expect((1..<128).contains(result.status), "\(result)")
            #expect((result.err + result.out).contains("--store"), "\(result)")
        }
    }

    @Test("a store that is missing is named and never called exact")
    func missingStore() async throws {
        let path = "/nonexistent/docker"
        do {
            let daemon = try await UsagedProcess.start(stores: ["docker=\(path)"], deadline: .seconds(15))
            let status = try await daemon.query.status()
            #expect(!status.exact)
            let source = try #require(status.sources.first { $0.root == path })
            #expect(source.state != .exact)
            #expect(source.reason?.isEmpty == false)
            try await daemon.remove()
        } catch let failure as WaitFailure {
            // A daemon that ends says why.
            #expect(failure.description.contains("ended with status"))
            #expect(failure.description.contains(path))
        }
    }

    @Test("without a daemon the client ends with 3 and names the socket; check with UNKNOWN")
    func noDaemon() async throws {
        try await withScratch { scratch in
            let query = UsageQuery(socket: scratch("nobody.sock"))
            for command in [["status"], ["images"], ["tree"], ["feed"], ["history", "x"], ["inspect", "x"]] {
                let result = try await query.client(command)
                #expect(result.status == 3, "\(command): \(result)")
                #expect(result.err.contains("nobody.sock"), "\(command): \(result)")
                #expect(result.out.isEmpty)
            }
            let check = try await query.client(["check"])
            #expect(check.status == 3)
            #expect(check.out.contains("UNKNOWN"))
        }
    }

    @Test("wrong usage of the client ends with 2")
    func wrongUsage() async throws {
        let query = UsageQuery(socket: "/nonexistent.sock")
        for arguments in [
            ["no-such-command"], ["history"], ["inspect", ""], ["status", "--no-such-option"],
        ] {
            let result = try await query.client(arguments)
            #expect(result.status == 2, "\(arguments): \(result)")
            #expect(!result.err.isEmpty)
        }
    }

    private func withScratch(_ body: (ScratchDirectory) async throws -> Void) async throws {
        try await ScratchDirectory.with("input", body)
    }
}

extension EngineTests {
    @Suite("references", .serialized)
    struct References {
        @Test("an unknown reference ends with 1 and is named, an ambiguous one lists what it could mean")
        func unknownAndAmbiguous() async throws {
            let world = EngineWorld.current
            let engine = try await world.engineWithBase()
            let query = try await world.daemon().query
            for name in ["twin-a", "twin-b"] {
                _ = try await engine.runIdle(name: name, image: EngineWorld.base)
            }
            try await wait(until: "both containers") {
                let status = try await query.status()
                return status.container(named: "twin-a") != nil && status.container(named: "twin-b") != nil
            }
            for command in [
                ["inspect", "no-such-thing"], ["history", "no-such-thing"], ["since", "no-such-mark"],
            ] {
                let result = try await query.client(command)
                #expect(result.status == 1, "\(command): \(result)")
                #expect(result.err.contains(command[1]), "\(command): \(result)")
                #expect(result.out.isEmpty)
            }
            let ambiguous = try await query.client(["inspect", "twin-"])
            #expect(ambiguous.status == 1, "\(ambiguous)")
            #expect(ambiguous.err.contains("twin-a") && ambiguous.err.contains("twin-b"), "\(ambiguous)")

            let id = try await engine.docker("inspect", "--format", "{{.Id}}", "twin-a").droppingAlgorithm
            for reference in ["twin-a", id, String(id.prefix(12))] {
                let detail = try await query.client(ContainerDetail.self, "inspect", reference)
                #expect(detail.container.id == id, "\(reference)")
            }
            try await engine.docker("rm", "--force", "twin-a", "twin-b")
        }
    }
}
