internal import ArgumentParser
internal import UsageClient
internal import Wire

struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Draws all images as a tree, with the size of each step and up to it.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.tree) { Render.tree($0 as Tree, $1) }
    }
}
