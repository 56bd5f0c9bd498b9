import Accounting
import Kernel

extension DockerStoreBuilder {
    /// Makes the driver's directory of a layer and returns the one that holds its files.
    ///
    /// With overlayfs that is `ID/diff`, beside a link and a list of lower directories; with the others `ID`, with the
    /// parent's files copied into it.
    mutating func makeDriverDirectory(
        _ id: String, on parent: String?, above lower: [String] = []
    ) throws(KernelError) -> String {
        let directory = "\(root)/\(driverDirectory)/\(id)"
        guard isOverlay else {
            try StoreFiles.makeDirectory(directory)
            if let below = lower.first ?? parent.flatMap({ directoryIDs[$0] }) {
                try StoreFiles.copy("\(root)/\(driverDirectory)/\(below)", into: directory)
            }
            if driver == "btrfs" { try StoreFiles.write("0", to: "\(root)/btrfs/quotas/\(id)") }
            return directory
        }
        try StoreFiles.makeDirectory(directory + "/diff")
        let link = newLink()
        try StoreFiles.link("\(root)/\(driver)/l/\(link)", to: "../\(id)/diff")
        try StoreFiles.write(link, to: directory + "/link")
        links[id] = link

        let below = lower + chain(to: parent).reversed().compactMap { directoryIDs[$0] }
        guard let nearest = below.first else { return directory + "/diff" }
        // Written into the layer below once something lies on it.
        try StoreFiles.write("", to: "\(root)/\(driver)/\(nearest)/committed")
        try StoreFiles.makeDirectory(directory + "/work")
        let links = below.compactMap { try? self.link(of: $0) }
        try StoreFiles.write(links.map { "l/\($0)" }.joined(separator: ":"), to: directory + "/lower")
        return directory + "/diff"
    }

    mutating func removeDriverDirectory(_ id: String) throws(KernelError) {
        if let link = try? link(of: id) { try StoreFiles.remove("\(root)/\(driver)/l/\(link)") }
        links[id] = nil
        try StoreFiles.remove("\(root)/\(driverDirectory)/\(id)")
        if driver == "btrfs" { try StoreFiles.remove("\(root)/btrfs/quotas/\(id)") }
    }

    /// What goes with the driver's directory of a layer.
    func groups(of id: String) -> [String] {
        if driver == "btrfs" { return ["btrfs/quotas/\(id)"] }
        guard isOverlay else { return [] }
        return ["\(driver)/\(id)"] + ((try? link(of: id)).map { ["\(driver)/l/\($0)"] } ?? [])
    }

    /// The layer's files in the driver's directory `id`.
    func differences(_ id: String) -> String {
        isOverlay ? "\(root)/\(driver)/\(id)/diff" : "\(root)/\(driverDirectory)/\(id)"
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
        if let known = links[id] { return known }
        return String(
            decoding: try BoundedFile.read(path: "\(root)/\(driver)/\(id)/link", limit: 64), as: UTF8.self)
    }

    private mutating func newLink() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String((0..<26).map { _ in alphabet[Int(generator.next() % 32)] })
    }
}
