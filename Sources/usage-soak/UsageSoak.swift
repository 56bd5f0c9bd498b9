internal import ArgumentParser
internal import Dispatch
internal import Foundation
internal import UsageTestKit

@main
struct UsageSoak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage-soak",
        abstract:
            "Lives a random host's life beside real daemons, and compares their figures with full walks.",
        discussion: """
            Makes a large host's store, starts the usaged that is built beside this program on it twice, and works on \
            it until the time is over. Needs root. Directories are made in USAGED_TEST_SCRATCH, else in /var/tmp.

            Exit status: 0 all figures were right and the daemon stayed flat; 1 they were not; 2 wrong usage.
            """)

    @Option(help: ArgumentHelp("How long to live.", valueName: "n"))
    var minutes: Double = 10

    @Option(help: ArgumentHelp("Around which number containers stay.", valueName: "n"))
    var containers = 200

    @Option(help: ArgumentHelp("Around which number layers of images stay.", valueName: "n"))
    var layers = 1_000

    @Option(help: ArgumentHelp("Decides what is done; drawn if it is not given.", valueName: "n"))
    var seed: UInt64?

    func validate() throws {
        guard minutes > 0, minutes <= 60 * 24 * 30 else {
            throw ValidationError("--minutes takes a number up to 43200, of 30 days.")
        }
        guard (1...20_000).contains(containers), (1...100_000).contains(layers) else {
            throw ValidationError("--containers takes 1 to 20000 and --layers 1 to 100000.")
        }
    }

    func run() async throws {
        guard geteuid() == 0 else {
            throw ValidationError("mounting overlays needs root; run it by: make soak")
        }
        let options = SoakOptions(
            seed: seed ?? .random(in: 0...UInt64.max), duration: .seconds(minutes * 60),
            containers: containers, imageLayers: layers)
        Self.say(
            "seed \(options.seed), \(containers) containers, \(layers) layers of images, \(minutes) minutes")
        let begin = ContinuousClock.now
        let stop = SoakStop()
        let soak = Task {
            await Soak.run(options, until: stop) {
                Self.say("[\((ContinuousClock.now - begin).components.seconds) s] \($0)")
            }
        }
        // An end by signal is one in good order: nothing stays mounted.
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { stop.request() }
            source.resume()
            return source
        }
        let report = await soak.value
        for source in sources { source.cancel() }
        print(report.table)
        if let failure = report.failure {
            Self.say("FAILED: \(failure)\nrepeat it with: make soak SEED=\(report.seed)")
            throw ExitCode.failure
        }
    }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data("usage-soak: \(text)\n".utf8))
    }
}
