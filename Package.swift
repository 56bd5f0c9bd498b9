// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// The simulation of ten million operations, which runs in these, would take ten minutes without.
let simulated = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies + ["UsageTestKit"], swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "usaged",
    products: [
        .executable(name: "usaged", targets: ["usaged"]),
        .executable(name: "usage-client", targets: ["usage-client"]),
        .executable(name: "usaged-notify", targets: ["usaged-notify"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        // Loads libcurl when it is used first: most programs that link it never need it.
        .target(name: "CCurl"),
        // For programs alone: one that depends on it has its `open`.
        .target(name: "CDispatchOpen"),

        module("Accounting", settings: simulated),
        module("Wire"),
        module("Kernel", ["CLinux", system], settings: simulated),
        module("Stores", ["Accounting", "Kernel", system]),
        module("Tracking", ["Accounting", "Kernel", system], settings: simulated),
        module("History", ["Accounting", grdb]),
        module("Journal", ["CSystemd", logging]),
        module("Settings", ["Accounting", "Kernel", yams]),
        module(
            "StatusFeed",
            ["CLinux", "Kernel", "Wire", nioCore, nioPosix, nioHTTP1, logging, lifecycle]),
        module(
            "Daemon",
            [
                "Accounting", "Kernel", "Stores", "Tracking", "History", "Journal", "Settings", "Wire",
                "StatusFeed", logging, lifecycle, system,
            ]),
        module("UsageClient", ["Wire", system]),
        module(
            "Notify",
            [
                "Accounting", "CCurl", "CLinux", "Journal", "Kernel", "Settings", "UsageClient", "Wire",
                logging,
                system,
            ]),
        .executableTarget(
            name: "usaged",
            dependencies: [
                "CDispatchOpen", "Daemon", "Journal", "Settings", "StatusFeed", "Stores",
                argumentParser, logging, lifecycle, signals,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "usage-client", dependencies: ["UsageClient", "Wire", argumentParser], swiftSettings: strict
        ),
        .executableTarget(
            name: "usaged-notify",
            dependencies: [
                "CDispatchOpen", "Journal", "Notify", "Settings", "UsageClient", "Wire",
                argumentParser, logging,
            ], swiftSettings: strict),

        // Makes the story's store for the demo.
        .executableTarget(
            name: "demo-store", dependencies: ["Accounting", "Kernel", "UsageTestKit", argumentParser],
            swiftSettings: strict),
        // Measures the daemon beside other tools: make bench.
        .executableTarget(
            name: "usage-bench",
            dependencies: [
                "Accounting", "CLinux", "Kernel", "Tracking", "UsageClient", "UsageTestKit", "Wire",
                argumentParser,
            ], swiftSettings: strict,
            // Valgrind 3.19, which counts its instructions, cannot load the shared runtime.
            linkerSettings: [
                .unsafeFlags(
                    ["-static-stdlib"]
                        + ["CoreFoundation", "_FoundationCShims", "_FoundationCollections", "_FoundationICU"]
                        .map {
                            "-l\($0)"
                        } + ["-lstdc++"], .when(configuration: .debug))
            ]),
        .executableTarget(name: "reference-scanner", cSettings: [.unsafeFlags(["-O2"])]),
        // Lives a large host's life beside real daemons: make soak.
        .executableTarget(
            name: "usage-soak", dependencies: ["UsageTestKit", argumentParser], swiftSettings: strict),
        // Logs one record of each kind, inside a journald of the tests' own.
        .executableTarget(
            name: "journal-probe", dependencies: ["Journal", logging], path: "Tests/JournalProbe",
            swiftSettings: strict),
        // Runs the daemon on a kernel whose overlayfs tells little: scripts/old-kernel.sh boots one.
        .executableTarget(
            name: "old-kernel-check", dependencies: ["Accounting", "UsageTestKit", "Wire"],
            path: "Tests/OldKernelCheck", swiftSettings: strict),

        // Does random work on files in a process of its own.
        .executableTarget(
            name: "random-writer", dependencies: ["UsageTestKit"], path: "Tests/RandomWriter",
            swiftSettings: strict),

        .target(name: "CFileWork"),
        module(
            "UsageTestKit",
            ["Accounting", "CFileWork", "CLinux", "Kernel", "Stores", "Tracking", "Wire", logging, system],
            settings: simulated),
        // What runs beside the other tests, and could spoil theirs.
        tests(of: "UsageTestKit", ["UsageClient"]),
        tests(of: "Kernel", ["Kernel"]),
        tests(of: "Accounting", ["Accounting"]),
        tests(of: "Wire", ["Wire"]),
        tests(of: "Stores", ["Stores", "Accounting", "Kernel"]),
        tests(of: "Tracking", ["Tracking", "Accounting", "Kernel"]),
        // The tracking service on real file systems, under every kind of work.
        tests(of: "Exactness", ["Tracking", "Accounting", "Kernel", "random-writer", "usaged"]),
        tests(of: "History", ["History", "Accounting", grdb]),
        tests(of: "Journal", ["Journal", "journal-probe", logging]),
        tests(of: "Settings", ["Settings", "Accounting"]),
        tests(of: "StatusFeed", ["StatusFeed", "Wire", nioCore, nioPosix, nioHTTP1, logging, lifecycle]),
        tests(of: "UsageClient", ["UsageClient", "Accounting", "Wire"]),
        tests(
            of: "Notify",
            [
                "Notify", "Accounting", "Journal", "Kernel", "Settings", "Wire", "usaged", "usage-client",
                "usaged-notify",
                logging,
            ]),
        tests(
            of: "Daemon",
            [
                "Daemon", "Accounting", "Journal", "Kernel", "Settings", "Stores", "Wire", "usaged",
                "usage-client",
            ]),
        // The acceptance tests on a real dockerd; they run the built executables.
        tests(
            of: "Engine",
            [
                "Accounting", "Journal", "Kernel", "Stores", "Tracking", "Wire", "UsageClient", "usaged",
                "usage-client",
            ]),
        // The manual pages, what is installed and the package, without a system that runs.
        tests(
            of: "Packaging",
            ["Accounting", "Journal", "Settings", "usaged", "usage-client", logging]),
        // The package in a Debian that systemd has booted.
        tests(of: "System", ["Accounting", "Journal", "UsageClient", "Wire", "usaged", "usage-client"]),
    ]
)

// The bodies of the fuzz targets are tests of their own, on the inputs in Fuzz/Corpus. With USAGED_FUZZ they become
// an executable for libFuzzer instead, whose `main` it brings along (`make fuzz`).
let fuzzed: [Target.Dependency] = [
    "Accounting", "History", "Kernel", "Settings", "StatusFeed", "Stores", "UsageClient", "UsageTestKit",
    "Wire",
    nioCore, nioPosix, logging,
]
if Context.environment["USAGED_FUZZ"] == nil {
    package.targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Fuzz", exclude: ["Corpus", "Entry"],
            swiftSettings: strict))
} else {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: fuzzed, path: "Fuzz", exclude: ["Corpus", "Replay"],
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
