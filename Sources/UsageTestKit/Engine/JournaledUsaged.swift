internal import Foundation
internal import Glibc
internal import Wire

/// The built `usaged` with a journald of its own, apart from the host's; needs root and journald.
public final class JournaledUsaged: Sendable {
    /// Whether a journald may be run here.
    public static let isPossible: Bool =
        geteuid() == 0
        && ["/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald"].contains {
            FileManager.default.isExecutableFile(atPath: $0)
        }

    /// Asks it through the built client.
    public let query: UsageQuery
    private let scratch: ScratchDirectory
    private let child: ChildProcess

    private init(query: UsageQuery, scratch: ScratchDirectory, child: ChildProcess) {
        self.query = query
        self.scratch = scratch
        self.child = child
    }

    /// Runs it on `stores`, each `KIND=PATH`, calls `body`, ends it, and returns what its journal holds: the fields of
    /// each entry that are text, the oldest first.
    public static func run(
        stores: [String], configuration: String, _ body: (UsageQuery) async throws -> Void
    ) async throws -> [[String: String]] {
        let scratch = try ScratchDirectory("journal")
        let query = UsageQuery(socket: scratch("usaged.sock"))
        let child = try await ChildProcess.start(
            [
                "unshare", "--mount", "sh", "\(BaseRoot.package)/scripts/with-journald",
                "sh", "-c", #"echo $$ > "$0"; exec "$@""#, scratch("pid"),
                UsagedProcess.executable("usaged"),
                "--config", try scratch.write(configuration, to: "usaged.yaml"),
                "--socket", query.socket, "--state", try scratch.directory("state"),
            ] + stores.flatMap { ["--store", $0] }, output: .capture, error: .capture)
        let daemon = JournaledUsaged(query: query, scratch: scratch, child: child)
        do {
            try await wait(until: "usaged to look at every store") {
                (try? await query.get(Health.self, "healthz").status) == "ok"
            }
            try await body(query)
            let entries = try await daemon.end()
            try await scratch.remove()
            return entries
        } catch {
            child.signal(SIGKILL, group: true)
            let exit = try? await child.ended(within: .seconds(10))
            try? await scratch.remove()
            throw WaitFailure(description: "\(error)\n\(exit?.error.suffix(4000) ?? "")")
        }
    }

    private func end() async throws -> [[String: String]] {
        let text = try String(contentsOfFile: scratch("pid"), encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw WaitFailure(description: "no process id in \(text)")
        }
        kill(pid, SIGTERM)
        let exit = try await child.ended(within: .seconds(30))
        guard exit.status == 0 else {
            throw WaitFailure(description: "usaged ended with status \(exit.status)\n\(exit.error)")
        }
        return try exit.output.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return (object ?? [:]).compactMapValues { $0 as? String }
        }
    }
}
