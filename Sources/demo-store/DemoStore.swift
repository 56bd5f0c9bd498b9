internal import Accounting
internal import ArgumentParser
internal import Glibc
internal import Kernel
internal import UsageTestKit

@main
struct DemoStore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-store",
        abstract: "Makes stores of Docker to show the daemon on, without an engine.",
        subcommands: [Build.self, AddContainer.self, Host.self])

    /// Refuses a directory that holds a store, of which nothing must be lost.
    private static func refuseStore(in directory: String) throws {
        guard access(directory + "/image", F_OK) != 0 else {
            throw ValidationError(
                "\(directory): there is a store already; give another directory or remove it")
        }
    }

    struct Build: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the store of the layers post.", discussion: "About 228 MB are written.")

        @Argument(help: ArgumentHelp("The store's root.", valueName: "dir"))
        var directory: String

        func run() throws {
            try refuseStore(in: directory)
            _ = try DockerStoreBuilder.layersPost(root: directory)
        }
    }

    struct AddContainer: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "container", abstract: "Add a container, and print its upper directory.")

        @Argument(help: ArgumentHelp("The store's root.", valueName: "dir"))
        var directory: String

        @Argument(help: "The container's name.")
        var name: String

        @Argument(help: "The image's name or id.")
        var image: String

        func run() throws {
            // Another name gives other ids.
            var seed = FNV1a()
            seed.add(name.utf8)
            var store = DockerStoreBuilder(opening: directory, seed: seed.value)
            guard let found = store.image(image) else {
                let names = store.images.values.flatMap(\.names).sorted().joined(separator: ", ")
                throw ValidationError(
                    "\(directory): no image '\(image)'; there are: \(names.isEmpty ? "none" : names)")
            }
            guard !store.containers.values.contains(where: { $0.name == name }) else {
                throw ValidationError(
                    "\(directory): there is a container '\(name)' already; choose another name")
            }
            let container = try store.addContainer(named: name, on: found, imageName: image)
            print(store.upperDirectory(of: container))
        }
    }

    struct Host: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the store of a large host, and print what is in it.",
            discussion: "The same options make the same store.")

        @Argument(help: ArgumentHelp("The store's root.", valueName: "dir"))
        var directory: String

        @Option(help: ArgumentHelp("Containers, all of them stopped.", valueName: "n"))
        var containers = LargeHost.Options().containers

        @Option(help: ArgumentHelp("Layers of images; each container has two more.", valueName: "n"))
        var layers = LargeHost.Options().imageLayers

        @Option(
            help: ArgumentHelp("Files and directories in each layer of an image.", valueName: "n"))
        var files = LargeHost.Options().entriesPerLayer

        @Option(help: ArgumentHelp("What ids, sizes and sharing are drawn from.", valueName: "n"))
        var seed = LargeHost.Options().seed

        func validate() throws {
            guard (0...100_000).contains(containers), (0...100_000).contains(layers),
                (0...1_000_000).contains(files)
            else {
                throw ValidationError(
                    "--containers and --layers take up to 100000, --files up to 1000000.")
            }
        }

        func run() throws {
            try refuseStore(in: directory)
            let host = try LargeHost.make(
                in: directory,
                LargeHost.Options(
                    containers: containers, imageLayers: layers, entriesPerLayer: files, seed: seed))
            print(host.summary)
        }
    }
}
