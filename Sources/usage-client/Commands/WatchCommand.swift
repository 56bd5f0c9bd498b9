internal import ArgumentParser
internal import UsageClient

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Shows containers live until q or Ctrl-C.",
        discussion: "s changes the order. Without a terminal, or with --json, it prints like feed.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        if options.json {
            try Follow.print(options.daemon, json: true, options.render, note: StandardError.say)
        } else {
            try Follow.watch(options.daemon, options.render, note: StandardError.say)
        }
    }
}
