internal import ArgumentParser
internal import UsageClient

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows all about one image or container.")

    @Argument(help: ArgumentHelp("A name, an id, or a prefix of one.", valueName: "id"))
    var reference: String

    @Option(help: "Look among images or containers only: image or container.")
    var type: TypeChoice?

    @OptionGroup var options: CommonOptions

    func validate() throws {
        try requireText(reference, "<id>")
    }

    func run() throws {
        switch try Inspection.find(reference, among: type?.kind, of: options.daemon) {
        case .image(let detail, let json):
            try options.json
                ? StandardOutput.writeLine(json)
                : StandardOutput.write(Render.inspect(detail, options.render))
        case .container(let detail, let json):
            try options.json
                ? StandardOutput.writeLine(json)
                : StandardOutput.write(Render.inspect(detail, options.render))
        }
    }
}

enum TypeChoice: String, ExpressibleByArgument, CaseIterable {
    case image, container

    var kind: Inspection.Kind {
        switch self {
        case .image: .image
        case .container: .container
        }
    }
}
