import Foundation
import Testing
import UsageTestKit
import Wire

@testable import UsageClient

/// What a shell sees: output, messages and exit status of the built executable.
struct ExecutableTests {
    private func json(_ value: some Encodable) throws -> String {
        String(decoding: try WireCoding.encode(value), as: UTF8.self)
    }

    private func serving(_ answers: [String: String]) throws -> ScriptedServer {
        try ScriptedServer(handler: routes(answers))
    }

    @Test("text goes to the output, uncut where it is no terminal, and ends with 0")
    func status() throws {
        let server = try serving(["GET /v1/status?top=10": try json(Samples.status)])
        let run = try BuiltClient.run(["status", "--socket", server.path])
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(run.output == Render.status(Samples.status, RenderOptions(zone: .utc)))
        let byVariable = try BuiltClient.run(["status"], environment: ["USAGED_SOCKET": server.path])
        #expect(byVariable.output == run.output)
    }

    @Test("JSON is the daemon's to the byte, fields included that the client does not know")
    func passesJSON() throws {
        let text = #"{"new":{"field":1},"schema":1}"#
        let server = try serving([
            "GET /v1/status": text, "GET /v1/images": text, "GET /v1/tree": text, "GET /v1/containers": text,
            "GET /v1/alerts": text, "GET /v1/images/x": text, "POST /v1/marks/x": text,
            "GET /v1/since/x": text,
        ])
        for arguments in [
            ["status"], ["images"], ["tree"], ["containers"], ["alerts"], ["history", "x"], ["mark", "x"],
            ["since", "x"],
        ] {
            let run = try BuiltClient.run(arguments + ["--json", "--socket", server.path])
            #expect(run.output == text + "\n", "\(arguments)")
            #expect(run.status == 0)
        }
    }

    @Test("df --json is the part of status that is about file systems")
    func diskFreeJSON() throws {
        let server = try serving(["GET /v1/status?top=0": try json(Samples.status)])
        let run = try BuiltClient.run(["df", "--json", "--socket", server.path])
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        #expect(
            Set(object?.keys.map { $0 } ?? []) == [
                "schema", "time", "exact", "reasons", "filesystems", "totals",
            ])
    }

    @Test("no daemon ends with 3 and says what to do", arguments: ["status", "df", "feed", "watch", "tree"])
    func noDaemon(command: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/usaged.sock"
        let missing = try BuiltClient.run([command, "--socket", path])
        #expect(missing.status == 3)
        #expect(missing.errors.contains("there is no socket \(path)"))
        #expect(missing.errors.contains("systemctl start usaged.socket"))
        close(try listen(at: path))
        let refused = try BuiltClient.run([command, "--socket", path])
        #expect(refused.status == 3)
        #expect(refused.errors.contains("connection refused"))
        let silent = try ScriptedServer { _, peer in peer.waitForClose() }
        let timedOut = try BuiltClient.run([command, "--socket", silent.path, "--timeout", "0.05"])
        #expect(timedOut.status == 3)
        #expect(timedOut.errors.contains("timed out"))
    }

    /// Runs `status` as one who is not root, from a place that anyone can reach.
    private func runAsNobody(_ socket: String) throws -> BuiltClient.Run {
        guard geteuid() == 0 else { return try BuiltClient.run(["status", "--socket", socket]) }
        let directory = try TemporaryDirectory()
        let copy = directory.path + "/usage-client"
        // Not copied by this process: a child of another test could hold the copy open for writing.
        _ = try BuiltClient.run([BuiltClient.path, copy], program: "/bin/cp")
        chmod(directory.path, 0o755)
        return try BuiltClient.run(
            ["--reuid=65534", "--regid=65534", "--clear-groups", copy, "status", "--socket", socket],
            program: "/usr/bin/setpriv")
    }

    @Test("a socket that is closed to the user ends with 4 and names the group that may")
    func socketGroup() throws {
        let server = try serving([:])
        chmod((server.path as NSString).deletingLastPathComponent, 0o755)
        // Only root can give a file to a group that it is not in; a group without a name is told by number.
        let isRoot = geteuid() == 0
        if isRoot { chown(server.path, 0, getgrnam("daemon").pointee.gr_gid) }
        chmod(server.path, isRoot ? 0o660 : 0)
        let run = try runAsNobody(server.path)
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("not permitted to use \(server.path): "))
        if isRoot {
            #expect(run.errors.contains("its group is daemon (root:daemon 0660)"))
            #expect(run.errors.contains(#"sudo usermod -aG daemon "$USER""#))
        }
    }

    @Test("a socket that is open to no group is not said to be")
    func socketWithoutGroup() throws {
        let server = try serving([:])
        chmod((server.path as NSString).deletingLastPathComponent, 0o755)
        chmod(server.path, 0)
        let run = try runAsNobody(server.path)
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("root may ("))
        #expect(!run.errors.contains("usermod"))
        guard geteuid() == 0 else { return }
        // Nobody is told to join root's group.
        chown(server.path, 0, 0)
        chmod(server.path, 0o660)
        let ofRoot = try runAsNobody(server.path)
        #expect(ofRoot.errors.contains(": only root may (root:root 0660)"))
    }

    @Test("a directory that nobody may pass is named instead of the socket")
    func socketDirectory() throws {
        let server = try serving([:])
        let directory = (server.path as NSString).deletingLastPathComponent
        chmod(server.path, 0o666)
        chmod(directory, 0o600)
        defer { chmod(directory, 0o700) }
        let run = try runAsNobody(server.path)
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains(": its directory \(directory) lets only others through ("))
        #expect(run.errors.contains(" 0600)"))
    }

    @Test("what the daemon forbids ends with 4, names the group and says what to do")
    func forbidden() throws {
        let server = try ScriptedServer { _, peer in
            peer.answer(
                #"{"type":"urn:usaged:forbidden","title":"Not permitted","status":403,"detail":"uid 1000 may not set marks"}"#,
                status: "403 Forbidden", type: "application/problem+json")
        }
        let run = try BuiltClient.run(["mark", "before", "--socket", server.path])
        #expect(run.status == 4)
        #expect(run.errors.contains("uid 1000 may not set marks"))
        #expect(run.errors.contains("changing something is for root: run it with sudo."))
        guard geteuid() == 0 else { return }
        chown(server.path, 0, getgrnam("daemon").pointee.gr_gid)
        chmod(server.path, 0o660)
        let ofGroup = try BuiltClient.run(["mark", "before", "--socket", server.path])
        #expect(ofGroup.errors.contains("Members of the group daemon may read; "))
    }

    @Test("what is not found ends with 1, an ambiguous prefix lists what it could be")
    func notFound() throws {
        let server = try ScriptedServer { request, peer in
            guard request.line.contains("/v1/images/zig ") else { return routes([:])(request, peer) }
            peer.answer(
                #"{"type":"urn:usaged:ambiguous","title":"Ambiguous","status":409,"detail":"zig is ambiguous","candidates":["zigiweb:1","zig\u001bcc"]}"#,
                status: "409 Conflict", type: "application/problem+json")
        }
        let missing = try BuiltClient.run(["history", "nothing", "--socket", server.path])
        #expect(missing.status == 1)
        #expect(missing.errors == "usage-client: no such thing\n")
        let ambiguous = try BuiltClient.run(["history", "zig", "--socket", server.path])
        #expect(ambiguous.status == 1)
        #expect(ambiguous.errors == "usage-client: zig is ambiguous\n  zigiweb:1\n  zig\\x1bcc\n")
        #expect(try BuiltClient.run(["inspect", "nothing", "--socket", server.path]).status == 1)
    }

    @Test(
        "wrong usage ends with 2",
        arguments: [
            ["bogus"], ["status", "--bogus"], ["history"], ["status", "--iec", "--bytes"],
            ["status", "--timeout", "0"],
            ["status", "--timeout", "nan"], ["inspect", ""], ["status", "--color", "pink"], ["--bogus"],
            ["status", "\u{1B}[2J"],
        ])
    func wrongUsage(arguments: [String]) throws {
        let run = try BuiltClient.run(arguments)
        #expect(run.status == 2, "\(run.errors)")
        #expect(run.output == "")
        #expect(!run.errors.contains("\u{1B}"))
    }

    @Test("status shows ten containers, and counts those that the daemon left out as well")
    func omittedContainers() throws {
        var status = Samples.status
        let listed = status.containers.count
        status.omitted = Omitted(containers: 990)
        let server = try serving(["GET /v1/status?top=10": try json(status)])
        let run = try BuiltClient.run(["status", "--socket", server.path])
        let rest = 990 + max(0, listed - 10)
        #expect(run.output.contains("\nand \(rest) more: usage-client containers\n"))
    }

    @Test("the options of every command may stand before it")
    func leadingOptions() throws {
        let server = try serving(["GET /v1/status?top=10": try json(Samples.status)])
        let behind = try BuiltClient.run(["status", "--iec", "--socket", server.path])
        #expect(behind.status == 0)
        for arguments in [
            ["--socket", server.path, "--iec", "status"], ["--iec", "--socket=\(server.path)", "status"],
            ["--socket", server.path, "status", "--iec"],
            ["--timeout", "9", "--color=never", "--socket", server.path, "--iec", "status"],
        ] {
            let run = try BuiltClient.run(arguments)
            #expect(run.output == behind.output, "\(arguments): \(run.errors)")
        }
        let check = try BuiltClient.run(["--socket", "/nonexistent/s", "check"])
        #expect(check.status == 3)
        #expect(check.output.hasPrefix("UNKNOWN - no daemon"))
        #expect(try BuiltClient.run(["--json", "--version"]).status == 0)
        #expect(try BuiltClient.run(["--json", "--help"]).status == 0)
        let alone = try BuiltClient.run(["--socket", server.path])
        #expect(alone.status == 2)
        #expect(alone.errors.contains("no command after --socket \(server.path)"))
        let wrong = try BuiltClient.run(["--socket", server.path, "--bogus", "status"])
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("--bogus"))
        let unknown = try BuiltClient.run(["--json", "stauts"])
        #expect(unknown.errors.contains("there is no command stauts"))
        #expect(try BuiltClient.run(["--socket"]).status == 2)
    }

    @Test("help and version end with 0")
    func help() throws {
        #expect(try BuiltClient.run(["--help"]).status == 0)
        #expect(try BuiltClient.run(["help", "status"]).output.contains("--socket"))
        #expect(try BuiltClient.run(["--version"]).output == "usage-client \(ClientVersion.current)\n")
    }

    @Test("check ends as the plugin guidelines say")
    func check() throws {
        func run(_ status: Status) throws -> BuiltClient.Run {
            let server = try serving(["GET /v1/status": try json(status)])
            return try BuiltClient.run(["check", "--socket", server.path])
        }
        var status = Samples.status
        #expect(try run(status).status == 0)
        status.sources[0].state = .damaged
        #expect(try run(status).status == 1)
        status.alerts = [Samples.alert]
        #expect(try run(status).status == 2)
        let silent = try BuiltClient.run(["check", "--socket", "/nonexistent/s"])
        #expect(silent.status == 3)
        #expect(silent.output == "UNKNOWN - no daemon: there is no socket /nonexistent/s\n")
        let wrong = try BuiltClient.run(["check", "--bogus"])
        #expect(wrong.status == 3)
        #expect(wrong.output.hasPrefix("UNKNOWN - Unknown option '--bogus'"))
    }

    @Test("a reader that goes away ends the client quietly")
    func brokenPipe() throws {
        var status = Samples.status
        status.containers = []
        status.images = (0..<5000).map { Samples.image(names: ["image-\($0)"]) }
        let list = ImageList(time: Samples.time, exact: true, images: status.images)
        let server = try ScriptedServer { request, peer in
            if request.line.contains("/v1/images") { return peer.answer((try? json(list)) ?? "") }
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let line = #"{"type":"image-added","id":1,"time":"x"}"# + "\n"
            peer.send("\(String(line.utf8.count, radix: 16))\r\n\(line)\r\n")
            peer.waitForClose()
        }
        let script = #"{ "$0" "$@"; echo "status $?" >&2; } | head -n 1"#
        for arguments in [["images"], ["feed", "--json"]] {
            let run = try BuiltClient.run(
                ["-c", script, BuiltClient.path] + arguments + ["--socket", server.path], program: "/bin/sh")
            #expect(run.errors == "status 0\n", "\(arguments)")
            #expect(!run.output.isEmpty)
        }
    }

    @Test("an output that cannot be written is an error")
    func fullDisk() throws {
        let server = try serving(["GET /v1/status?top=10": try json(Samples.status)])
        let run = try BuiltClient.run(
            ["-c", #""$0" status --socket "$1" >/dev/full"#, BuiltClient.path, server.path],
            program: "/bin/sh")
        #expect(run.status == 1)
        #expect(run.errors.contains("No space left"))
    }
}
