internal import Accounting

/// The compact form of what the database keeps as one blob: the inodes that a layer shares, and a mark.
///
/// The first byte is the version of the form, which each of the two has its own of. Layer ids are mostly 64 hexadecimal digits and take 32 bytes.
enum BlobCoding {
    private static let version: UInt8 = 1
    private static let markVersion: UInt8 = 2

    static func encode(_ linked: [InodeKey: Measure]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(version)
        writer.append(UInt64(linked.count))
        for (key, measure) in linked.sorted(by: { $0.key < $1.key }) {
            writer.append(key.device)
            writer.append(key.inode)
            writer.append(measure)
        }
        return writer.bytes
    }

    static func decodeLinked(_ bytes: [UInt8]) -> [InodeKey: Measure]? {
        var reader = ByteReader(bytes)
        guard reader.byte() == version, let count = reader.count(eachAtLeast: 5) else { return nil }
        var linked: [InodeKey: Measure] = [:]
        linked.reserveCapacity(count)
        for _ in 0..<count {
            guard let device = reader.unsigned(), let inode = reader.unsigned(),
                let measure = reader.measure()
            else { return nil }
            linked[InodeKey(device: device, inode: inode)] = measure
        }
        return reader.isAtEnd ? linked : nil
    }

    static func encode(_ mark: Mark) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(markVersion)
        writer.append(mark.wall)
        writer.append(UInt8(mark.isExact ? 1 : 0))
        let layers = Dictionary(grouping: mark.layers, by: \.key.store)
        let containers = Dictionary(grouping: mark.containers, by: \.key.store)
        let stores = Set(layers.keys).union(containers.keys)
        writer.append(UInt64(stores.count))
        for store in stores {
            writer.append(store.engine)
            writer.append(store.driver)
            writer.append(store.root)
            let layers = layers[store] ?? []
            writer.append(UInt64(layers.count))
            for (key, entry) in layers {
                writer.append(id: key.id)
                writer.append(entry.kind.rawValue)
                writer.append(entry.measure)
            }
            let containers = containers[store] ?? []
            writer.append(UInt64(containers.count))
            for (key, entry) in containers {
                writer.append(id: key.id)
                writer.append(entry.name)
                writer.append(entry.measure)
            }
        }
        writer.append(UInt64(mark.usedBytes.count))
        for (mount, used) in mark.usedBytes {
            writer.append(mount)
            writer.append(used)
        }
        return writer.bytes
    }

    static func decodeMark(_ bytes: [UInt8]) -> Mark? {
        var reader = ByteReader(bytes)
        guard reader.byte() == markVersion, let wall = reader.signed(), let exact = reader.byte(), exact <= 1,
            let stores = reader.count(eachAtLeast: 5)
        else { return nil }
        var mark = Mark(wall: wall, isExact: exact == 1)
        for _ in 0..<stores {
            guard let engine = reader.string(), let driver = reader.string(), let root = reader.string(),
                let count = reader.count(eachAtLeast: 6)
            else { return nil }
            let store = StoreIdentity(engine: engine, driver: driver, root: root)
            for _ in 0..<count {
                guard let id = reader.id(), let word = reader.string(), let measure = reader.measure(),
                    let kind = LayerFact.Kind(rawValue: word)
                else { return nil }
                mark.layers[LayerKey(store: store, id: id)] = Mark.LayerEntry(kind: kind, measure: measure)
            }
            guard let containers = reader.count(eachAtLeast: 6) else { return nil }
            for _ in 0..<containers {
                guard let id = reader.id(), let name = reader.string(), let measure = reader.measure()
                else { return nil }
                mark.containers[ContainerKey(store: store, id: id)] = Mark.ContainerEntry(
                    name: name, measure: measure)
            }
        }
        guard let mounts = reader.count(eachAtLeast: 2) else { return nil }
        for _ in 0..<mounts {
            guard let mount = reader.string(), let used = reader.signed() else { return nil }
            mark.usedBytes[mount] = used
        }
        return reader.isAtEnd ? mark : nil
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ measure: Measure) {
        append(measure.diskBytes)
        append(measure.sizeBytes)
        append(measure.inodes)
    }

    /// A tag of 0 before any text, of 1 before the 32 bytes of a digest in lower-case hexadecimal.
    fileprivate mutating func append(id: String) {
        guard let digest = Digest.bytes(id) else {
            append(UInt8(0))
            append(id)
            return
        }
        append(UInt8(1))
        for byte in digest { append(byte) }
    }
}

extension ByteReader {
    fileprivate mutating func measure() -> Measure? {
        guard let disk = signed(), let size = signed(), let inodes = signed() else { return nil }
        return Measure(diskBytes: disk, sizeBytes: size, inodes: inodes)
    }

    fileprivate mutating func id() -> String? {
        switch byte() {
        case 0: return string()
        case 1:
            var digest: [UInt8] = []
            digest.reserveCapacity(32)
            while digest.count < 32 {
                guard let byte = byte() else { return nil }
                digest.append(byte)
            }
            return Digest.text(digest)
        default: return nil
        }
    }
}

private enum Digest {
    static func bytes(_ text: String) -> [UInt8]? {
        guard text.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x61...0x66: digit = character - 0x61 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
