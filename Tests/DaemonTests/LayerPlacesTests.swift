import Accounting
import Kernel
import Testing

@testable import Daemon

@Suite("Which layer an open file belongs to")
struct LayerPlacesTests {
    private static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/srv/docker")
    private static let a = LayerKey(store: store, id: "a")
    private static let b = LayerKey(store: store, id: "b")
    private static let layers = [
        a: "/srv/docker/overlay2/a/diff", b: "/srv/docker/overlay2/b/diff",
    ]
    /// 8:1, which holds `/srv`.
    private static let disk: UInt64 = 0x801
    private static let ownMounts = """
        20 1 8:1 / / rw - ext4 /dev/sda1 rw
        21 20 8:1 /srv /srv rw - ext4 /dev/sda1 rw
        30 20 0:40 / /srv/docker/overlay2/a/merged rw - overlay overlay rw,lowerdir=l/X,upperdir=a/diff,workdir=a/work
        31 20 0:41 / /run/other rw - overlay overlay rw,lowerdir=/l,upperdir=/home/x/diff,workdir=/w

        """

    private static func places(_ mounts: String = ownMounts) -> LayerPlaces {
        LayerPlaces(
            layers: layers, devices: [store: disk], mounts: MountTable(parsing: Array(mounts.utf8)))
    }

    private static func mount(_ line: String) throws -> MountTable.Mount {
        try #require(MountTable(parsing: Array(line.utf8)).mounts.first)
    }

    private static func file(
        _ mount: MountTable.Mount, _ path: String, inode: UInt64 = 9, device: UInt64? = nil,
        size: Int64 = 4096,
        isWritable: Bool = true
    ) -> OpenFileScan.File {
        OpenFileScan.File(
            status: FileStatus(
                identity: .init(device: device ?? mount.device, inode: inode), kind: .regular, links: 0,
                size: size,
                allocated: size, changed: 0),
            mount: mount, path: Array(path.utf8), processID: 1, command: Array("sh".utf8),
            isWritable: isWritable)
    }

    private static let inContainer =
        "90 80 0:40 / / rw - overlay overlay rw,lowerdir=l/X,upperdir=a/diff,workdir=a/work"

    @Test(
        "an overlay is known by its device number, wherever it is mounted and whatever its options say there")
    func overlay() throws {
        var places = Self.places()
        let mount = try Self.mount(Self.inContainer)
        let isWanted = places.isWanted(mount, .foreign)
        #expect(isWanted)
        #expect(places.place(of: Self.file(mount, "/log"))?.layer == Self.a)
        #expect(places.place(of: Self.file(mount, "/log"))?.device == Self.disk)
    }

    @Test("an overlay of another device number is no layer's, though its options name the layer's directory")
    func forged() throws {
        var places = Self.places()
        for layer in ["a", "b"] {
            let mount = try Self.mount(
                "91 80 0:66 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/srv/docker/overlay2/\(layer)/diff"
            )
            let isWanted = places.isWanted(mount, .foreign)
            #expect(!isWanted)
            #expect(places.place(of: Self.file(mount, "/log")) == nil)
        }
    }

    @Test(
        "an overlay that shows only in another namespace of the host counts, unless its layer has one already"
    )
    func otherNamespace() throws {
        var places = Self.places()
        let b = try Self.mount(
            "91 80 0:50 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/srv/docker/overlay2/b/diff")
        let isWanted = places.isWanted(b, .host)
        #expect(isWanted)
        #expect(places.place(of: Self.file(b, "/log"))?.layer == Self.b)
        for layer in ["a", "b"] {
            let second = try Self.mount(
                "92 80 0:51 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/srv/docker/overlay2/\(layer)/diff"
            )
            let isWanted = places.isWanted(second, .host)
            #expect(!isWanted)
        }
    }

    @Test(
        "a file of the store's file system is known by its path within the file system",
        arguments: [
            ("1 0 8:1 / / rw - ext4 d rw", "/srv/docker/overlay2/a/diff/x/y", "a"),
            ("1 0 8:1 /srv/docker/overlay2 /mnt rw - ext4 d rw", "/mnt/b/diff/x", "b"),
            ("1 0 8:1 /srv/docker/overlay2/b/diff /mnt rw - ext4 d rw", "/mnt/x", "b"),
            // A path that reads as the layer's but is another directory of the file system.
            (
                "1 0 8:1 /home/evil /srv/docker/overlay2/a/diff rw - ext4 d rw",
                "/srv/docker/overlay2/a/diff/x", nil
            ),
            ("1 0 8:1 / / rw - ext4 d rw", "/srv/docker/overlay2/a/diffuse/x", nil),
            ("1 0 8:1 / / rw - ext4 d rw", "/srv/docker/overlay2/a/diff", nil),
            ("1 0 8:1 / /mnt rw - ext4 d rw", "/elsewhere/srv/docker/overlay2/a/diff/x", nil),
        ] as [(String, String, String?)])
    func paths(line: String, path: String, layer: String?) throws {
        var places = Self.places()
        let mount = try Self.mount(line)
        let isWanted = places.isWanted(mount, .foreign)
        #expect(isWanted)
        let place = try #require(places.place(of: Self.file(mount, path)))
        #expect(place.layer?.id == layer)
        #expect(place.device == Self.disk)
    }

    @Test("files of other file systems are not wanted")
    func others() throws {
        var places = Self.places()
        for line in [
            "1 0 0:77 / /mnt rw - nfs4 server:/ rw", "1 0 8:2 / /mnt rw - ext4 d rw",
            "1 0 0:78 / /dev/shm rw - tmpfs t rw",
            "31 20 0:41 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/home/x/diff",
        ] {
            let isWanted = places.isWanted(try Self.mount(line), .own)
            #expect(!isWanted, "\(line)")
        }
    }

    private static func report(
        _ files: [OpenFileScan.File], after: LayerPlaces = places(), metacopy: Bool = false
    ) -> DeletedOpenReport {
        var scan = OpenFileScan()
        for file in files { scan.files[file.status.identity] = file }
        return DeletedOpenTally.report(scan, places: places(), after: after, metacopyByDefault: metacopy)
    }

    @Test("a file that is held through the overlay and in the upper directory is counted once")
    func twice() throws {
        let report = Self.report([
            Self.file(try Self.mount(Self.inContainer), "/x"),
            Self.file(
                try Self.mount("20 1 8:1 / / rw - ext4 d rw"), "/srv/docker/overlay2/a/diff/x",
                device: Self.disk),
            Self.file(
                try Self.mount("20 1 8:1 / / rw - ext4 d rw"), "/home/y", inode: 10, device: Self.disk,
                size: 512),
        ])
        #expect(report.completeness == .complete)
        #expect(report.byLayer[Self.a]?.measure == Measure(diskBytes: 4096, sizeBytes: 4096, inodes: 1))
        #expect(report.byDevice[Self.disk]?.measure == Measure(diskBytes: 4608, sizeBytes: 4608, inodes: 2))
    }

    @Test(
        "where metadata alone may have been copied up, a file that is only read is not counted but told as uncertain"
    )
    func metacopy() throws {
        let on = try Self.mount(Self.inContainer + ",metacopy=on")
        let off = try Self.mount(Self.inContainer + ",metacopy=off")
        let unsaid = try Self.mount(Self.inContainer)
        let reading = [on, off, unsaid].enumerated().map {
            Self.file($1, "/x", inode: UInt64($0), isWritable: false)
        }
        let report = Self.report(reading)
        #expect(report.byLayer[Self.a]?.measure.inodes == 2)
        #expect(report.byLayer[Self.a]?.uncertainBytes == 4096)
        #expect(report.completeness.reason?.contains("metacopy") == true)
        #expect(Self.report(reading, metacopy: true).byLayer[Self.a]?.uncertainBytes == 8192)
        let writing = Self.report([Self.file(on, "/x", isWritable: true)])
        #expect(writing.completeness == .complete)
        #expect(writing.byLayer[Self.a]?.measure.inodes == 1)
    }

    @Test("a device number that changed hands during the look names no layer")
    func changedHands() throws {
        let after = Self.places(
            Self.ownMounts.replacing("/srv/docker/overlay2/a/merged", with: "/srv/docker/overlay2/b/merged")
                .replacing("a/diff", with: "b/diff"))
        let report = Self.report([Self.file(try Self.mount(Self.inContainer), "/x")], after: after)
        #expect(report.byLayer.isEmpty)
        #expect(report.completeness.reason?.contains("changed meanwhile") == true)
    }

    @Test("every gap of a look makes the report a lower bound that says why")
    func gaps() {
        for gap in [OpenFileScan.Gap.time, .processes, .descriptors, .files, .mounts, .maps] {
            var scan = OpenFileScan()
            scan.gaps = [gap]
            let report = DeletedOpenTally.report(
                scan, places: Self.places(), after: Self.places(), metacopyByDefault: false)
            #expect(report.completeness.reason?.isEmpty == false)
            #expect(report.completeness.isKnown)
        }
        var scan = OpenFileScan()
        (scan.foreign, scan.unsized, scan.refused, scan.processes) = (2, 1, 1, 10)
        let reason = DeletedOpenTally.report(
            scan, places: Self.places(), after: Self.places(), metacopyByDefault: false
        ).completeness.reason
        #expect(
            reason == """
                the system refused to show 1 process; 1 mapped file may not be asked for a size (needs \
                CAP_CHECKPOINT_RESTORE); 2 files on overlays that belong to no store
                """)
        scan.refused = 6
        let refused = DeletedOpenTally.report(
            scan, places: Self.places(), after: Self.places(), metacopyByDefault: false)
        #expect(!refused.completeness.isKnown)
    }
}
