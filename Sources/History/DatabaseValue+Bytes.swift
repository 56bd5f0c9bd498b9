internal import Foundation
internal import GRDB

extension DatabaseValue {
    /// The bytes of a blob.
    var blobBytes: [UInt8]? {
        guard case .blob(let data) = storage else { return nil }
        return [UInt8](data)
    }
}

extension [UInt8] {
    var databaseBlob: DatabaseValue { Data(self).databaseValue }
}
