internal import ArgumentParser
internal import UsageClient
internal import Wire

struct AlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Lists the alerts that fire and those resolved lately.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.alerts) { Render.alerts($0 as AlertList, $1) }
    }
}
