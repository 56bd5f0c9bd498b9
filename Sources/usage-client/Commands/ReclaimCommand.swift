internal import ArgumentParser
internal import UsageClient
internal import Wire

struct ReclaimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reclaim",
        abstract: "Tells what df would gain if exactly these objects went. It deletes nothing.",
        discussion: """
            What something else holds stays, and is told with who holds it: a layer that another image has, a volume \
            that a container mounts.
            """)

    @Argument(
        help: ArgumentHelp("Images, containers, volumes and orphans, by name or id.", valueName: "id"))
    var ids: [String] = []

    @Flag(help: "All images and volumes that no container uses, unused build cache, and orphans.")
    var allUnused = false

    @Flag(help: "With --all-unused: containers that do not run count as going.")
    var stopped = false

    @OptionGroup var options: CommonOptions

    func validate() throws {
        guard allUnused || !ids.isEmpty else {
            throw ValidationError("Name what would go, or give --all-unused.")
        }
        guard allUnused || !stopped else { throw ValidationError("--stopped goes with --all-unused.") }
        for id in ids { try requireText(id, "<id>") }
    }

    func run() throws {
        try options.show(.reclaim(ids, allUnused: allUnused, withStopped: stopped)) {
            Render.reclaim($0 as Reclaim, $1)
        }
    }
}
