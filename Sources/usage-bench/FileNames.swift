import Glibc
import UsageTestKit

/// Names in a directory of this machine's own.
enum FileNames {
    static func list(_ directory: String) throws -> [String] {
        guard let stream = opendir(directory) else {
            throw WaitFailure(description: "\(directory): \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
