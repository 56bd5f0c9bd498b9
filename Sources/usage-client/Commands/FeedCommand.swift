internal import ArgumentParser
internal import UsageClient

struct FeedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed", abstract: "Prints what changes, one line for each event, until it is stopped.",
        discussion: "With --json the daemon's events as they come, one JSON object a line.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try Follow.print(options.daemon, json: options.json, options.render, note: StandardError.say)
    }
}
