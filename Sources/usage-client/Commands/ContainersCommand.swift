internal import ArgumentParser
internal import UsageClient
internal import Wire

struct ContainersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "containers", abstract: "Lists containers, the largest writable layer first.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.containers) { Render.containers($0 as ContainerList, $1) }
    }
}
