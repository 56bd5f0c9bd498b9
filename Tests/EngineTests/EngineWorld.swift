import Foundation
import Testing
import UsageTestKit

/// What the tests on a real engine share: one `dockerd`, its images, and daemons to be removed at the end.
///
/// Each part is made when a test first asks for it, so that one test can run alone.
actor EngineWorld {
    @TaskLocal static var current = EngineWorld()

    /// Where the engine's tests must run, as in continuous integration, they run and fail rather than be left out.
    static let canRun: Bool =
        ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
        || (geteuid() == 0
            && ["dockerd", "docker", "debootstrap"].allSatisfy { name in
                ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].contains {
                    FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
                }
            })

    /// Whether the long runs were asked for: `make test-all`.
    static let runsAll = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil

    static let base = "ubuntu:14.04"
    static let zigiweb = "zigiweb:latest"

    /// The base image is itself built of steps, some of which write nothing.
    static let baseDockerfile = """
        FROM debian:base
        LABEL maintainer="tests"
        RUN echo 'force-unsafe-io' > /etc/dpkg/dpkg.cfg.d/usaged && mkdir -p /run/systemd
        ENV LANG=C.UTF-8
        RUN sed -i 's/^# deb-src/deb-src/' /etc/debian_version /etc/issue
        CMD ["/bin/bash"]
        """

    /// The build of the post that the acceptance figures come from.
    static let zigiwebDockerfile = """
        FROM ubuntu:14.04
        RUN apt-get update
        RUN DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx
        RUN echo "daemon off;" >> /etc/nginx/nginx.conf
        RUN chown -R www-data:www-data /var/lib/nginx
        VOLUME ["/etc/nginx/sites-enabled", "/var/log/nginx"]
        WORKDIR /etc/nginx
        CMD ["nginx"]
        EXPOSE 80
        """

    private var engineTask: Task<DockerEngine, any Error>?
    private var baseTask: Task<Void, any Error>?
    private var zigiwebTask: Task<String, any Error>?
    private var postTask: Task<PostRecord, any Error>?
    private var daemons: [UsagedProcess] = []

    /// The engine, without an image.
    func engine() async throws -> DockerEngine {
        let task = engineTask ?? Task { try await DockerEngine.start() }
        engineTask = task
        return try await task.value
    }

    /// The engine with the base image.
    func engineWithBase() async throws -> DockerEngine {
        let engine = try await engine()
        let task =
            baseTask
            ?? Task {
                let tar = try await BaseRoot.tar()
                try await engine.docker(["import", tar, "debian:base"], deadline: .seconds(300))
                try await engine.build(tag: Self.base, dockerfile: Self.baseDockerfile)
            }
        baseTask = task
        try await task.value
        return engine
    }

    /// The engine with the base image and the post's image on it.
    func engineWithImages() async throws -> DockerEngine {
        let engine = try await engineWithBase()
        if let zigiwebTask { _ = try await zigiwebTask.value } else { try await buildZigiweb() }
        return engine
    }

    /// Builds the post's image anew, without a cache, and returns its id.
    @discardableResult
    func buildZigiweb() async throws -> String {
        let engine = try await engineWithBase()
        let task = Task {
            try await engine.build(tag: Self.zigiweb, dockerfile: Self.zigiwebDockerfile)
        }
        zigiwebTask = task
        return try await task.value
    }

    /// What a daemon that was there saw of the post's build.
    func post() async throws -> PostRecord {
        let task = postTask ?? Task { try await PostRecord.make(in: self) }
        postTask = task
        return try await task.value
    }

    /// A new daemon on the engine's store; the one before it ends, so that it does not disturb.
    func daemon(configuration: String = "") async throws -> UsagedProcess {
        let root = try await engine().dataRoot
        for daemon in daemons { try await daemon.remove() }
        daemons = []
        let daemon = try await UsagedProcess.start(
            stores: ["docker=\(root)"], configuration: configuration)
        daemons.append(daemon)
        return daemon
    }

    /// Ends and removes everything.
    func stop() async {
        for daemon in daemons { await attempt { try await daemon.remove() } }
        daemons = []
        if let engineTask {
            await attempt { try await engineTask.value.stop() }
        }
        engineTask = nil
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            Issue.record("cleaning up: \(error)")
        }
    }
}

/// Gives a suite an ``EngineWorld`` and stops it behind its last test.
struct EngineTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let world = EngineWorld()
        do {
            try await EngineWorld.$current.withValue(world) { try await function() }
        } catch {
            await world.stop()
            throw error
        }
        await world.stop()
    }
}

extension Trait where Self == EngineTrait {
    static var engine: EngineTrait { EngineTrait() }
}

/// The tests on a real engine, one after another, since they share it.
@Suite(
    "on a real dockerd (needs root, dockerd, debootstrap and overlayfs)", .serialized, .engine,
    .enabled(if: EngineWorld.canRun, "needs root, dockerd and debootstrap"))
struct EngineTests {}
