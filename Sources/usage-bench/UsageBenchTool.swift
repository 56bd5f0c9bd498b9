import ArgumentParser

@main
struct UsageBenchTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage-bench", abstract: "Measure usaged beside other tools.",
        subcommands: [RunCommand.self, QuickCommand.self, HostCommand.self, ScanCommand.self],
        defaultSubcommand: RunCommand.self)
}
