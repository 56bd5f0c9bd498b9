import Accounting
import Kernel
import SystemPackage

/// Why a metadata file could not be used.
struct MetadataFault: Error, Hashable, Sendable {
    var severity: StoreProblem.Severity
    var path: String
    var reason: String
    /// Whether the file is not there at all.
    var isMissing = false

    /// Whether it lasts as long as the file stays the same.
    var isOfContent: Bool { severity == .damaged }

    static func damaged(_ path: String, _ reason: String) -> MetadataFault {
        MetadataFault(severity: .damaged, path: path, reason: reason)
    }

    static func pending(_ path: String, _ reason: String) -> MetadataFault {
        MetadataFault(severity: .pending, path: path, reason: reason)
    }

    init(severity: StoreProblem.Severity, path: String, reason: String, isMissing: Bool = false) {
        self.severity = severity
        self.path = path
        self.reason = reason
        self.isMissing = isMissing
    }

    init(_ failure: BoundedFile.Failure, path: String) {
        switch failure {
        case .system(let error):
            self.init(error, path: path)
        case .notRegular:
            self.init(severity: .damaged, path: path, reason: "it is not a regular file")
        case .tooLarge(_, let limit):
            self.init(
                severity: .damaged, path: path,
                reason: "it is larger than \(limit) bytes, which no engine writes; it is not read")
        }
    }

    init(_ error: KernelError, path: String) {
        switch error.errno {
        case .noSuchFileOrDirectory:
            self.init(severity: .pending, path: path, reason: "it does not exist", isMissing: true)
        case .permissionDenied, .notPermitted:
            self.init(
                severity: .damaged, path: path,
                reason: "permission denied; the daemon needs to be root or to have CAP_DAC_READ_SEARCH")
        case _ where error.isScarcity:
            // The file may be as it should: what is known of the store stays until it can be read again.
            self.init(
                severity: .unreadable, path: path,
                reason: "\(error.errno)\(error.remedy.map { "; \($0)" } ?? "")")
        default:
            self.init(severity: .damaged, path: path, reason: "\(error.errno)")
        }
    }

    func problem(of object: StoreProblem.Object) -> StoreProblem {
        StoreProblem(severity: severity, object: object, path: path, reason: reason)
    }
}
