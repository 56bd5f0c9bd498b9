internal import Kernel

/// Finds and reads the configuration's files.
///
/// The calls block; they are meant for the start and for a reload, on a thread of one's own.
public enum SettingsFiles {
    public static let defaultPath = "/etc/usaged/usaged.yaml"

    /// Drop-ins that are read at most.
    private static let dropInLimit = 256

    /// Reads a file and the drop-ins `conf.d/*.yaml` beside it, in the order of their names.
    ///
    /// - Parameters:
    ///   - path: The file. Symbolic links are followed, as configuration management makes them.
    ///   - isRequired: Whether it is an error that the file is not there.
    /// - Returns: The settings.
    /// - Throws: ``SettingsError`` with everything that is wrong in all files.
    public static func load(path: String = defaultPath, isRequired: Bool) throws(SettingsError) -> Settings {
        let (files, unread) = read(path: path, isRequired: isRequired)
        do throws(SettingsError) {
            let settings = try Settings.load(files: files)
            guard unread.isEmpty else { throw SettingsError(issues: unread) }
            return settings
        } catch {
            throw SettingsError(issues: unread + error.issues.filter { !unread.contains($0) })
        }
    }

    /// The contents of the files in the order in which they count, and what could not be read.
    public static func read(
        path: String, isRequired: Bool
    ) -> (files: [(path: String, bytes: [UInt8])], issues: [SettingsIssue]) {
        var files: [(path: String, bytes: [UInt8])] = []
        var issues: [SettingsIssue] = []
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[..<$0]) + "/conf.d" } ?? "conf.d"
        let dropIns = self.dropIns(in: folder, &issues)
        for (file, isRequired) in [(path, isRequired)] + dropIns.map({ ($0, false) }) {
            switch contents(of: file) {
            case .success(let bytes): files.append((file, bytes))
            case .failure(let failure) where failure.isMissing && !isRequired: break
            case .failure(let failure):
                issues.append(SettingsIssue(file: file, message: "cannot be read: \(failure)"))
            }
        }
        return (files, issues)
    }

    private static func dropIns(in folder: String, _ issues: inout [SettingsIssue]) -> [String] {
        var names: [String] = []
        do {
            for entry in try Directory.open(path: folder).entries() {
                let name = entry.name
                guard name.bytes.first != UInt8(ascii: ".") else { continue }
                let text = String(decoding: name.bytes, as: UTF8.self)
                if text.hasSuffix(".yml") {
                    let path = "\(folder)/\(name.escaped)"
                    issues.append(SettingsIssue(file: path, message: "is not read; name it .yaml"))
                }
                guard text.hasSuffix(".yaml") else { continue }
                guard text.utf8.elementsEqual(name.bytes) else {
                    let path = "\(folder)/\(name.escaped)"
                    issues.append(SettingsIssue(file: path, message: "its name is not UTF-8"))
                    continue
                }
                names.append(text)
            }
        } catch let error as KernelError {
            if !BoundedFile.Failure.system(error).isMissing {
                issues.append(SettingsIssue(file: folder, message: "cannot be read: \(error)"))
            }
        } catch {
            issues.append(SettingsIssue(file: folder, message: "cannot be read: \(error)"))
        }
        if names.count > dropInLimit {
            issues.append(
                SettingsIssue(
                    file: folder, message: "holds \(names.count) files, \(dropInLimit) are allowed; join some"
                ))
        }
        // By bytes, so that the order is the same everywhere, as that of `LC_ALL=C ls`.
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return names.prefix(dropInLimit).map { "\(folder)/\($0)" }
    }

    private static func contents(of path: String) -> Result<[UInt8], BoundedFile.Failure> {
        do throws(BoundedFile.Failure) {
            return .success(
                try BoundedFile.read(path: path, limit: YAMLDocument.sizeLimit, followingLinks: true))
        } catch {
            return .failure(error)
        }
    }
}
