public import Foundation
internal import Glibc
internal import Synchronization

/// A real `dockerd` with everything that it keeps below a directory of its own.
///
/// It has no network but the host's and none of the host's configuration, and uses the overlay2 graph driver where no
/// other is asked for.
public final class DockerEngine: Sendable {
    public let directory: ScratchDirectory
    /// Its graph driver.
    public let driver: String
    private let child = Mutex<ChildProcess?>(nil)

    /// What `--data-root` names; `usaged --store docker=` takes it.
    public let dataRoot: String
    public var socket: String { directory("docker.sock") }
    /// What `dockerd` says.
    public var log: String { directory("dockerd.log") }
    public var processID: Int32? { child.withLock { $0 }?.processID }

    /// Starts an engine below a new scratch directory and waits until it answers; its data is there too, unless
    /// `dataRoot` names a place on another file system.
    public static func start(
        driver: String = "overlay2", dataRoot: String? = nil
    ) async throws -> DockerEngine {
        let engine = DockerEngine(
            directory: try ScratchDirectory("engine"), driver: driver, dataRoot: dataRoot)
        do {
            try await engine.start()
        } catch {
            try? await engine.directory.remove()
            throw error
        }
        return engine
    }

    private init(directory: ScratchDirectory, driver: String, dataRoot: String?) {
        self.directory = directory
        self.driver = driver
        self.dataRoot = dataRoot ?? directory("root")
    }

    /// Starts the engine, again after ``kill()``, and waits until it answers.
    public func start() async throws {
        guard processID == nil else { return }
        // Newer engines would take containerd's image store; older ones ignore the feature.
        let configuration = try directory.write(
            #"{"features": {"containerd-snapshotter": false}}"#, to: "daemon.json")
        try directory.directory("client")
        let namespace = "usaged-test-\(directory.path.suffix(6))"
        let process = try await ChildProcess.start(
            [
                "dockerd", "--config-file", configuration, "--data-root", dataRoot, "--exec-root",
                directory("exec"), "--host", "unix://\(socket)", "--pidfile", directory("pid"),
                "--storage-driver=\(driver)", "--iptables=false", "--ip-forward=false", "--bridge=none",
                "--containerd-namespace", namespace, "--containerd-plugins-namespace", "\(namespace)-plugins",
                "--shutdown-timeout=2", "--log-level=warn",
            ],
            output: .file(log), error: .file(log), diesWithParent: true)
        child.withLock { $0 = process }
        let up: Bool
        do {
            up = try await wait(for: "dockerd to answer on \(socket)", deadline: .seconds(60)) {
                if process.exit != nil { return false }
                return try await api("_ping").isEmpty ? nil : true
            }
        } catch {
            process.signal(SIGKILL, group: true)
            throw error
        }
        guard up else {
            child.withLock { $0 = nil }
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw WaitFailure(description: "dockerd ended at once: \(said.suffix(2000))")
        }
    }

    /// Ends the engine at once; its containers go on.
    public func kill() async throws {
        guard let process = child.withLock({ $0 }) else { return }
        process.signal(SIGKILL)
        try await process.ended(within: .seconds(10))
        try await endContainerd()
    }

    /// The containerd that belongs to a killed engine ends a while after it; an engine that starts meanwhile would
    /// wait for it in vain.
    private func endContainerd() async throws {
        let file = directory("exec/containerd/containerd.pid")
        guard let pid = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap({ Int32($0) }) else {
            return
        }
        func runs() -> Bool {
            guard let status = try? ProcessFile.text("/proc/\(pid)/status") else {
                return false
            }
            return status.hasPrefix("Name:\tcontainerd") && !status.contains("State:\tZ")
        }
        do {
            try await wait(until: "containerd to end", deadline: .seconds(5)) { !runs() }
        } catch {
            if runs() { _ = Glibc.kill(pid, SIGKILL) }
            try await wait(until: "containerd to end", deadline: .seconds(5)) { !runs() }
        }
        try? FileManager.default.removeItem(atPath: file)
    }

    /// Ends the engine with its containers and removes all that it kept.
    public func stop() async throws {
        // After a kill only the engine itself finds the containers that are left.
        try await start()
        let containers = try await docker("ps", "--all", "--quiet", "--no-trunc").split(separator: "\n")
        if !containers.isEmpty {
            try await docker(["rm", "--force", "--volumes"] + containers.map(String.init))
        }
        if let process = child.withLock({ $0 }) {
            process.signal(SIGTERM)
            do {
                try await process.ended(within: .seconds(30))
            } catch {
                process.signal(SIGKILL, group: true)
                try await process.ended(within: .seconds(10))
            }
        }
        try await directory.remove()
    }

    /// Runs the `docker` command on this engine and returns what it printed; throws when it fails.
    @discardableResult
    public func docker(
        _ arguments: [String], input: String? = nil, deadline: Duration = .seconds(120)
    ) async throws -> String {
        try await Command.output(
            ["docker"] + arguments, input: input, environment: clientEnvironment, deadline: deadline)
    }

    /// Runs the `docker` command on this engine and returns what it printed; throws when it fails.
    @discardableResult
    public func docker(_ arguments: String...) async throws -> String {
        try await docker(arguments)
    }

    /// Builds an image with the classic builder, one layer for each step, and returns its id.
    @discardableResult
    public func build(tag: String, dockerfile: String, deadline: Duration = .seconds(600)) async throws
        -> String
    {
        let context = "build-\(UUID().uuidString)"
        try directory.write(dockerfile, to: "\(context)/Dockerfile")
        try await docker(
            ["build", "--no-cache", "--force-rm", "--network", "host", "--tag", tag, directory(context)],
            deadline: deadline)
        return try await docker("image", "inspect", "--format", "{{.Id}}", tag).droppingAlgorithm
    }

    /// Builds an image with the engine's BuildKit, and returns what the client said.
    ///
    /// A client of version 23 or later does that by a plug-in alone, which Debian's does without.
    @discardableResult
    public func buildWithBuildKit(
        tag: String, dockerfile: String, deadline: Duration = .seconds(300)
    ) async throws -> String {
        let context = "build-\(UUID().uuidString)"
        try directory.write(dockerfile, to: "\(context)/Dockerfile")
        var environment = clientEnvironment
        environment["DOCKER_BUILDKIT"] = "1"
        let debian = "/usr/bin/docker"
        let client = FileManager.default.isExecutableFile(atPath: debian) ? debian : "docker"
        return try await Command.output(
            [
                client, "build", "--progress", "plain", "--network", "host", "--tag", tag, directory(context),
            ], environment: environment, deadline: deadline)
    }

    /// `GET` of the Engine API, whose figures are exact where the command rounds them.
    public func api(_ path: String) async throws -> Data {
        Data(
            try await Command.output([
                "curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--unix-socket", socket,
                "http://localhost/\(path)",
            ]).utf8)
    }

    private var clientEnvironment: [String: String] {
        [
            "DOCKER_HOST": "unix://\(socket)", "DOCKER_CONFIG": directory("client"), "DOCKER_BUILDKIT": "0",
            "DOCKER_CONTEXT": "",
        ]
    }
}

extension StringProtocol {
    /// An id as the contract writes it: without the algorithm, and without a newline.
    public var droppingAlgorithm: String {
        let line = prefix { !$0.isNewline }
        return line.split(separator: Character(":"), maxSplits: 1).last.map { String($0) } ?? ""
    }
}
