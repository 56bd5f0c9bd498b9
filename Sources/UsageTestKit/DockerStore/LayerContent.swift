import Kernel

/// What a layer of a test store holds.
public struct LayerContent: Sendable {
    /// A file: its path in the layer and its apparent size, all of which is allocated.
    public struct File: Hashable, Sendable {
        public var path: String
        public var size: Int

        public init(_ path: String, size: Int) {
            self.path = path
            self.size = size
        }
    }

    public var files: [File]
    /// Directories beside those that files need.
    public var directories: [String]

    public init(files: [File] = [], directories: [String] = []) {
        self.files = files
        self.directories = directories
    }

    /// The sum of the files' sizes: what the engine records as the layer's.
    public var sizeBytes: Int { files.map(\.size).reduce(0, +) }

    /// Spreads exactly `bytes` over `count` files in the given directories, most of them small, as in a root
    /// file system.
    public static func spread(
        bytes: Int, over count: Int, in directories: [String], seed: UInt64
    ) -> LayerContent {
        var generator = SeededGenerator(seed: seed)
        // Each weight is up to four orders of magnitude apart from another.
        let weights = (0..<count).map { _ in
            Int.random(in: 1...9, using: &generator)
                * [1, 10, 100, 1000, 4000][Int.random(in: 0..<5, using: &generator)]
        }
        let total = weights.reduce(0, +)
        var sizes = weights.map { Int(Double(bytes) * Double($0) / Double(total)) }
        if let last = sizes.indices.last { sizes[last] += bytes - sizes.reduce(0, +) }
        let files = sizes.enumerated().map { index, size in
            File("\(directories[index % directories.count])/file-\(index)", size: size)
        }
        return LayerContent(files: files, directories: directories)
    }

    /// Makes the content below an existing directory.
    func write(below directory: String) throws(KernelError) {
        for path in directories { try StoreFiles.makeDirectory("\(directory)/\(path)") }
        var made = Set(directories)
        for (index, file) in files.enumerated() {
            if let slash = file.path.lastIndex(of: "/"), made.insert(String(file.path[..<slash])).inserted {
                try StoreFiles.makeDirectory("\(directory)/\(file.path[..<slash])")
            }
            let byte = UInt8(ascii: "a") + UInt8(index % 26)
            try StoreFiles.fill("\(directory)/\(file.path)", size: file.size, with: byte)
        }
    }
}
