import Foundation
import Testing
import UsageTestKit

/// The package and what `dpkg` does with it where nothing runs; one is built for all.
@Suite(
    "The Debian package", .serialized, .package,
    .enabled(if: DebianRoot.isPossible, "needs root, debootstrap, dpkg-dev and no sanitizer"))
struct PackageTests {
    private func package() async throws -> DebianPackage { try await Packages.current.package() }

    /// Runs a test in a Debian where nothing runs, with the package's directory in it.
    private func withRoot(_ body: (DebianRoot, DebianPackage) async throws -> Void) async throws {
        let package = try await package()
        let scratch = try ScratchDirectory("package")
        do {
            let root = try await DebianRoot(in: scratch)
            try await Command.output(["cp", package.path, "\(root.path)/usaged.deb"])
            try await body(root, package)
            root.unmount()
        } catch {
            try? await scratch.remove()
            throw error
        }
        try await scratch.remove()
    }

    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    @Test("the control file names the libraries of the executables, and the version that they print")
    func control() async throws {
        let package = try await package()
        let binaries = try DebianPackage.binaries()
        let version = try await Command.output(["\(binaries)/usaged", "--version"])
            .trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try await package.field("Version").hasPrefix(version.dropFirst("usaged ".count) + "-"))
        let architecture = try await Command.output(["dpkg", "--print-architecture"])
        #expect(try await package.field("Architecture") + "\n" == architecture)
        let name = URL(fileURLWithPath: package.path).lastPathComponent
        let fields = [try await package.field("Version"), try await package.field("Architecture")]
        #expect(name == "usaged_\(fields.joined(separator: "_")).deb")

        let depends = Set(
            try await package.field("Depends").components(separatedBy: ", ").map {
                String($0.prefix { $0 != " " })
            })
        // By what the loader finds, each library's package; those of a toolchain are no package's.
        var needed: Set<String> = ["systemd"]
        for program in ["usaged", "usage-client", "usaged-notify"] {
            let elf = try await Command.output(["readelf", "--dynamic", "\(binaries)/\(program)"])
            let names = elf.split(separator: "\n").filter { $0.contains("(NEEDED)") }.compactMap {
                $0.split(separator: "[").last?.dropLast()
            }
            let loaded = try await Command.output(["ldd", "\(binaries)/\(program)"]).split(
                separator: "\n")
            for name in names {
                let line = loaded.first { $0.contains(name) } ?? ""
                guard let file = line.split(separator: " ").first(where: { $0.hasPrefix("/") }) else {
                    continue
                }
                // dpkg may know it by its place from before /usr was one.
                for path in [String(file), "/usr\(file)", String(file.dropFirst("/usr".count))] {
                    let found = try await Command.run(["dpkg-query", "--search", path])
                    if found.status == 0 { needed.insert(String(found.out.prefix { $0 != ":" })) }
                }
            }
        }
        #expect(needed.isSuperset(of: ["libc6", "libsqlite3-0"]))
        #expect(depends == needed)
    }

    @Test("it holds the units, pages, completions and texts, and the configuration as such")
    func contents() async throws {
        let package = try await package()
        let list = lines(try await Command.output(["dpkg-deb", "--contents", package.path]))
        var modes: [String: String] = [:]
        for line in list {
            let words = line.split(separator: " ")
            #expect(words[1] == "root/root", "\(line)")
            modes[String(words[5].dropFirst())] = String(words[0])
        }
        var expected: Set<String> = [
            "/etc/usaged/usaged.yaml", "/usr/lib/sysusers.d/usaged.conf",
            "/usr/lib/systemd/catalog/usaged.catalog",
            "/usr/lib/systemd/system-preset/80-usaged.preset", "/usr/share/doc/usaged/copyright",
            "/usr/share/doc/usaged/changelog.Debian.gz", "/usr/share/man/man8/usaged.8.gz",
            "/usr/share/man/man5/usaged.yaml.5.gz", "/usr/share/man/man1/usage-client.1.gz",
            "/usr/share/doc/usaged/README.md", "/usr/share/doc/usaged/Documentation/architecture.md",
        ]
        for program in ["usaged", "usage-client"] {
            expected.insert("/usr/share/bash-completion/completions/\(program)")
            expected.insert("/usr/share/zsh/vendor-completions/_\(program)")
            expected.insert("/usr/share/fish/vendor_completions.d/\(program).fish")
        }
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(BaseRoot.package)/systemd") {
            if file.hasSuffix(".service") || file.hasSuffix(".socket") {
                expected.insert("/usr/lib/systemd/system/\(file)")
            } else if file.hasSuffix(".conf") {
                expected.insert("/usr/share/doc/usaged/systemd/\(file)")
            }
        }
        for path in expected { #expect(modes[path] == "-rw-r--r--", "\(path)") }
        for path in ["/usr/sbin/usaged", "/usr/bin/usage-client"] { #expect(modes[path] == "-rwxr-xr-x") }
        #expect(modes["/etc/usaged/conf.d/"] == "drwxr-xr-x")
        #expect(
            modes.keys.filter { $0.hasPrefix("/etc/") && !$0.hasSuffix("/") } == ["/etc/usaged/usaged.yaml"])

        let scratch = try ScratchDirectory("contents")
        try await Command.output(["dpkg-deb", "--raw-extract", package.path, scratch("tree")])
        let tree = scratch("tree")
        #expect(
            try String(contentsOfFile: "\(tree)/DEBIAN/conffiles", encoding: .utf8)
                == "/etc/usaged/usaged.yaml\n")
        let sums = try await Command.run([
            "sh", "-c", "cd \(tree) && md5sum --check --strict --quiet DEBIAN/md5sums",
        ])
        #expect(sums.status == 0, "\(sums.out)\(sums.err)")
        let summed = try String(contentsOfFile: "\(tree)/DEBIAN/md5sums", encoding: .utf8).split(
            separator: "\n"
        ).count
        #expect(summed == modes.filter { $0.key.hasPrefix("/usr/") && $0.value.hasPrefix("-") }.count)
        // Every shell takes its completions.
        for program in ["usaged", "usage-client"] {
            let file = "\(tree)/usr/share/bash-completion/completions/\(program)"
            let sourced = try await Command.output(["bash", "-c", ". \(file) && complete -p \(program)"])
            #expect(sourced.contains("complete"))
        }
        let symbols = try await Command.output(["readelf", "--sections", "--wide", "\(tree)/usr/sbin/usaged"])
        #expect(!symbols.contains(".symtab") && !symbols.contains(".debug_info"))
        try await scratch.remove()
    }

    @Test("its copyright file names every Swift package that is linked in, with the words of its licence")
    func copyright() async throws {
        let text = try String(
            contentsOfFile: "\(BaseRoot.package)/packaging/debian/copyright", encoding: .utf8)
        let resolved = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(fileURLWithPath: "\(BaseRoot.package)/Package.resolved")))
        let pins = try #require((resolved as? [String: Any])?["pins"] as? [[String: Any]])
        #expect(pins.count > 5)
        for pin in pins {
            let location = try #require(pin["location"] as? String)
            let name = URL(fileURLWithPath: location).lastPathComponent
            let folder = name.hasSuffix(".git") ? String(name.dropLast(4)) : name
            #expect(text.contains("\nFiles: .build/checkouts/\(folder)/*\n"), "\(folder)")
            // Where it has a copyright line of its own, that is there.
            for file in ["LICENSE", "LICENSE.txt"] {
                let path = "\(BaseRoot.package)/.build/checkouts/\(folder)/\(file)"
                guard let licence = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
                for line in licence.split(separator: "\n") where line.hasPrefix("Copyright (") {
                    let holder = line.split(separator: " ").drop { Int($0.prefix(4)) == nil }.joined(
                        separator: " ")
                    #expect(text.contains(holder.trimmingCharacters(in: ["."])), "\(folder): \(line)")
                }
                #expect(
                    !licence.contains("Runtime Library Exception")
                        || text.contains("checkouts/\(folder)/*\nCopyright: ")
                            && text.components(separatedBy: "checkouts/\(folder)/*\n")[1]
                                .split(separator: "\n")[1] == "License: Apache-2.0 with Swift exception",
                    "\(folder)")
            }
        }
    }

    @Test("the same executables make the same package")
    func reproducible() async throws {
        let scratch = try ScratchDirectory("again")
        let again = try await DebianPackage.build(in: scratch.path)
        let same = try await Command.run(["cmp", package().path, again.path])
        #expect(same.status == 0, "\(same.out)")
        try await scratch.remove()
    }

    @Test("lintian finds no error", .enabled(if: Program.isRequired("lintian"), "needs lintian"))
    func lintian() async throws {
        let package = try await package()
        let result = try await Command.run(
            ["lintian", "--allow-root", package.path], deadline: .seconds(180))
        // An executable of a debug build finds the toolchain's runtime by a path of its own.
        let runtime = try await DebianPackage.runtimeDirectory()
        let found = lines(result.out).filter { line in
            guard let runtime else { return true }
            return !line.contains("custom-library-search-path RUNPATH \(runtime) ")
        }
        #expect(found == [])
        #expect(result.err == "")
    }

    @Test("dpkg installs it, enables what the preset does, and takes it again, without a system that runs")
    func life() async throws {
        try await withRoot { root, package in
            func dpkg(_ arguments: String...) async throws {
                let result = try await root.run(["dpkg"] + arguments)
                #expect(result.status == 0, "dpkg \(arguments): \(result.out)\(result.err)")
            }
            func text(_ path: String) throws -> String {
                try String(contentsOfFile: root.path + path, encoding: .utf8)
            }
            /// Paths of links and files of the package's outside of `/usr`, but for what dpkg itself notes.
            func left() async throws -> [String] {
                let found = try await Command.output([
                    "find", "\(root.path)/etc", "\(root.path)/var", "\(root.path)/run", "-name", "*usaged*",
                    "-not", "-path", "*/var/lib/dpkg/info/*",
                ])
                return lines(found).map { String($0.dropFirst(root.path.count)) }.sorted()
            }
            let links = [
                "/etc/systemd/system/multi-user.target.wants/usaged.service",
                "/etc/systemd/system/sockets.target.wants/usaged.socket",
            ]
            func isEnabled() -> [Bool] {
                links.map {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: root.path + $0)) != nil
                }
            }
            let before = try await left()

            try await dpkg("--install", "/usaged.deb")
            #expect(isEnabled() == [true, true])
            #expect(try text("/etc/passwd").contains("\nusaged:"))
            #expect(try text("/etc/group").contains("\nusaged:"))
            // Again, and each script by itself twice: nothing changes.
            let after = try await left()
            let users = try text("/etc/passwd")
            try await dpkg("--install", "/usaged.deb")
            try await dpkg("--configure", "--pending")
            for arguments in ["configure", "configure 0.0.1-1", "abort-remove"] {
                for _ in 0..<2 {
                    let result = try await root.run([
                        "sh", "-c",
                        "DPKG_MAINTSCRIPT_PACKAGE=usaged sh /var/lib/dpkg/info/usaged.postinst \(arguments)",
                    ])
                    #expect(result.status == 0, "\(result.err)")
                }
            }
            #expect(try await left() == after)
            #expect(isEnabled() == [true, true])
            #expect(try text("/etc/passwd") == users)

            // A changed configuration stays over an upgrade, and what was disabled stays disabled.
            let changed = "log_level: debug\n"
            try changed.write(
                toFile: root.path + "/etc/usaged/usaged.yaml", atomically: false, encoding: .utf8)
            let disable = try await root.run(["systemctl", "--root=/", "disable", "usaged.service"])
            #expect(disable.status == 0, "\(disable.err)")
            let newer = try await package.copy(version: "0.9.0-1")
            try await Command.output(["cp", newer.path, "\(root.path)/newer.deb"])
            try await dpkg("--install", "/newer.deb")
            #expect(try text("/etc/usaged/usaged.yaml") == changed)
            #expect(isEnabled() == [false, false])

            // Without and then with what it kept.
            try FileManager.default.createDirectory(
                atPath: root.path + "/var/lib/usaged", withIntermediateDirectories: true)
            try await dpkg("--remove", "usaged")
            #expect(try text("/etc/usaged/usaged.yaml") == changed)
            #expect(FileManager.default.fileExists(atPath: root.path + "/var/lib/usaged"))
            for path in [
                "/usr/sbin/usaged", "/usr/lib/systemd/system/usaged.service", "/usr/share/doc/usaged",
            ] {
                #expect(!FileManager.default.fileExists(atPath: root.path + path), "\(path)")
            }
            for _ in 0..<2 {
                let again = try await root.run([
                    "sh", "-c", "DPKG_MAINTSCRIPT_PACKAGE=usaged sh /var/lib/dpkg/info/usaged.postrm remove",
                ])
                #expect(again.status == 0, "\(again.err)")
            }
            try await dpkg("--purge", "usaged")
            #expect(try await left() == before)
            #expect(try text("/etc/passwd") == users)
            try await dpkg("--install", "/usaged.deb")
            #expect(isEnabled() == [true, true])
            try await dpkg("--purge", "usaged")
            #expect(try await left() == before)
        }
    }
}

/// Gives a suite one package, built when a test first asks for it.
actor Packages {
    @TaskLocal static var current = Packages()

    private var task: Task<DebianPackage, any Error>?
    private var scratch: ScratchDirectory?

    func package() async throws -> DebianPackage {
        if let task { return try await task.value }
        let scratch = try ScratchDirectory("deb")
        self.scratch = scratch
        let task = Task { try await DebianPackage.build(in: scratch.path) }
        self.task = task
        return try await task.value
    }

    func remove() async {
        do {
            try await scratch?.remove()
        } catch {
            Issue.record("cleaning up: \(error)")
        }
    }
}

struct PackageTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let packages = Packages()
        do {
            try await Packages.$current.withValue(packages) { try await function() }
        } catch {
            await packages.remove()
            throw error
        }
        await packages.remove()
    }
}

extension Trait where Self == PackageTrait {
    static var package: PackageTrait { PackageTrait() }
}
