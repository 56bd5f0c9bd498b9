import Accounting
import Glibc
import UsageTestKit

// Makes a store to show the daemon on, without an engine:
//
//     demo-store build DIR
//     demo-store container DIR NAME IMAGE

let usage = """
    usage: demo-store build DIR                   make the store of the layers post in DIR
           demo-store container DIR NAME IMAGE    add a container, print its upper directory
    """

func fail(_ message: String, status: Int32) -> Never {
    let line = "demo-store: \(message)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    exit(status)
}

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("build", 2):
        guard access(arguments[1] + "/image", F_OK) != 0 else {
            fail("\(arguments[1]): there is a store already; give another directory or remove it", status: 1)
        }
        _ = try DockerStoreBuilder.layersPost(root: arguments[1])
    case ("container", 4):
        let (root, name, reference) = (arguments[1], arguments[2], arguments[3])
        // Another name gives other ids.
        let seed = name.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        var store = DockerStoreBuilder(opening: root, seed: seed)
        guard let image = store.image(reference) else {
            let names = store.images.values.flatMap(\.names).sorted().joined(separator: ", ")
            fail("\(root): no image '\(reference)'; there are: \(names.isEmpty ? "none" : names)", status: 1)
        }
        guard !store.containers.values.contains(where: { $0.name == name }) else {
            fail("\(root): there is a container '\(name)' already; choose another name", status: 1)
        }
        print(store.upperDirectory(of: try store.addContainer(named: name, on: image, imageName: reference)))
    default:
        fail("wrong arguments\n\(usage)", status: 2)
    }
} catch {
    fail("\(error)", status: 1)
}
