internal import ArgumentParser
internal import UsageClient
internal import Wire

struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "Lists images with their own, shared and unique sizes.")

    @Flag(
        name: .shortAndLong,
        help: "Also list the untagged images that others are built on, the steps of a build.")
    var all = false

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.images) { Render.images($0 as ImageList, withSteps: all, $1) }
    }
}
