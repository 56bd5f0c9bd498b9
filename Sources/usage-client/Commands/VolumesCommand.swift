internal import ArgumentParser
internal import UsageClient
internal import Wire

struct VolumesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volumes", abstract: "Lists volumes, and which containers use them.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.volumes) { Render.volumes($0 as VolumeList, $1) }
    }
}

struct OrphansCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orphans", abstract: "Lists layer directories that no metadata of their engine names.")

    @OptionGroup var options: CommonOptions

    func run() throws {
        try options.show(.orphans) { Render.orphans($0 as OrphanList, $1) }
    }
}
