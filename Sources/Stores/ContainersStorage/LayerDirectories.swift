import Accounting
import Kernel

/// The driver's directories of layers, whether a list names them or not.
struct LayerDirectories: Sendable {
    struct Entry: Sendable {
        /// The name of the layer's link in `overlay/l`.
        var link: String?
        var fault: MetadataFault?
    }

    static let links = "l"
    /// Where the engine keeps what is on its way in or out, with the driver `overlay`.
    static let transits = ["staging", "tempdirs"]

    private var cache = StampedCache<Entry>()

    mutating func startPass() {
        cache.startPass()
    }

    /// The link that the engine made for the directory of a layer, to keep the options of a mount short.
    mutating func link(
        of id: String, in data: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Entry {
        guard let stamp = data.stamp(of: id + "/link") else { return Entry() }
        if let known = cache.value(of: id, stamps: [stamp]) { return known }
        var entry = Entry()
        do throws(MetadataFault) {
            let link = try data.child(id).line(of: "link", &notes)
            if Self.isLink(link) {
                entry.link = link
            } else {
                entry.fault = .damaged(
                    "\(data.path)/\(id)/link", "it holds \(ObjectID.quoted(link)), not the name of a link")
            }
            cache.keep(entry, for: id, stamps: [stamp])
        } catch {
            if error.isMissing { return entry }
            entry = cache.lastValue(of: id) ?? entry
            entry.fault = error
            cache.keep(entry, for: id, stamps: error.isOfContent ? [stamp] : nil)
        }
        return entry
    }

    /// Whether it is of the 26 capital letters and digits that a link is named by.
    private static func isLink(_ text: String) -> Bool {
        text.utf8.count == 26
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
    }
}
