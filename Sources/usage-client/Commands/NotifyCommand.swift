internal import ArgumentParser
internal import Glibc
internal import UsageClient

/// Becomes the program that delivers alerts: reading the configuration takes libraries that would make the client four
/// times as large.
struct NotifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify",
        abstract: "Delivers alerts to commands, webhooks and Alertmanagers, until it is stopped.")

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() throws {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &path, path.count - 1)
        let own = String(decoding: path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let directory = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "/usr/bin"
        // Beside it where it was built.
        let candidates = ["\(directory)/usaged-notify", "\(directory)/../libexec/usaged-notify"]
        for program in candidates where access(program, X_OK) == 0 {
            // The parser ends the process by exec alone, with the signals as they were given.
            signal(SIGPIPE, SIG_DFL)
            var words = ([program] + arguments).map { strdup($0) } + [nil]
            execv(program, &words)
        }
        throw ClientError(
            .local,
            "cannot start usaged-notify, which delivers alerts: it is not in \(candidates[1]); install it")
    }
}
