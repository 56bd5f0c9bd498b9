import Accounting
import Kernel

extension DockerStoreBuilder {
    /// Makes `overlay2/ID` with its `diff`, link and list of lower directories, and returns the `diff`.
    mutating func makeDriverDirectory(
        _ id: String, on parent: String?, above lower: [String] = []
    ) throws(KernelError) -> String {
        let directory = "\(root)/overlay2/\(id)"
        try StoreFiles.makeDirectory(directory + "/diff")
        let link = newLink()
        try StoreFiles.link("\(root)/overlay2/l/\(link)", to: "../\(id)/diff")
        try StoreFiles.write(link, to: directory + "/link")

        let below = lower + chain(to: parent).reversed().compactMap { directoryIDs[$0] }
        guard let nearest = below.first else { return directory + "/diff" }
        // Written into the layer below once something lies on it.
        try StoreFiles.write("", to: "\(root)/overlay2/\(nearest)/committed")
        try StoreFiles.makeDirectory(directory + "/work")
        let links = below.compactMap { try? self.link(of: $0) }
        try StoreFiles.write(links.map { "l/\($0)" }.joined(separator: ":"), to: directory + "/lower")
        return directory + "/diff"
    }

    func removeDriverDirectory(_ id: String) throws(KernelError) {
        if let link = try? link(of: id) { try StoreFiles.remove("\(root)/overlay2/l/\(link)") }
        try StoreFiles.remove("\(root)/overlay2/\(id)")
    }

    /// The chain ids up to `top`, the lowest first.
    func chain(to top: String?) -> [String] {
        var chain: [String] = []
        var next = top
        while let id = next, chain.count < 1000 {
            chain.append(id)
            next = layers[id]?.parent
        }
        return chain.reversed()
    }

    private func link(of id: String) throws -> String {
        String(
            decoding: try BoundedFile.read(path: "\(root)/overlay2/\(id)/link", limit: 64), as: UTF8.self)
    }

    private mutating func newLink() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String((0..<26).map { _ in alphabet[Int(generator.next() % 32)] })
    }
}
