import Testing

@testable import Kernel

@Suite("What the kernel writes about open files, and damage to it")
struct ProcessTextTests {
    private static let overlay = """
        87 65 0:39 / /var/tmp/a\\040b/merged rw,relatime shared:7 master:1 - overlay overlay rw,lowerdir=l/A:l/B,\
        upperdir=/store/a\\040b\\054c/diff,workdir=/store/w,index=off,nouserxattr
        """

    @Test("a mount has its number, device, root, place and options, with their escapes undone")
    func mount() throws {
        let table = MountTable(
            parsing: Array("\(Self.overlay)\n88 1 259:300 /sub / rw - ext4 /dev/x rw\n".utf8))
        let mount = try #require(table.mounts.first)
        #expect(mount.id == 87)
        #expect(mount.device == 39)
        #expect(mount.path == "/var/tmp/a b/merged")
        #expect(mount.type == "overlay")
        #expect(mount.option("upperdir") == "/store/a b,c/diff")
        #expect(mount.option("index") == "off")
        #expect(mount.option("nouserxattr") == "")
        #expect(mount.option("userxattr") == nil)
        #expect(mount.option("upper") == nil)
        #expect(table.mounts.last?.device == 1114924)
        #expect(table.mounts.last?.root == "/sub")
    }

    @Test("an option of a hundred thousand bytes is read whole")
    func longOption() {
        let lower = (0..<4000).map { "/store/layer-\($0)/diff" }.joined(separator: ":")
        let line = "9 1 0:50 / / rw - overlay o rw,lowerdir=\(lower),upperdir=/u"
        let mount = MountTable(parsing: Array(line.utf8)).mounts.first
        #expect(mount?.option("lowerdir") == lower)
        #expect(mount?.option("upperdir") == "/u")
    }

    @Test(
        "a damaged line of a table of mounts is left out, and those around it stay",
        arguments: [
            "", "x 1 0:39 / / rw - t s o", "87 1 039 / / rw - t s o", "87 1 0:x / / rw - t s o",
            "99999999999999 1 0:1 / / rw - t s o", "87 1 0:39 / / rw t s o",
            "87 1 0:99999999999 / / rw - t s o",
            "\u{FFFD}\0",
        ])
    func damagedMounts(line: String) {
        let table = MountTable(parsing: Array("\(Self.overlay)\n\(line)\n\(Self.overlay)\n".utf8))
        #expect(table.mounts.count == 2)
    }

    @Test("every beginning of a table of mounts is read without a trap, and never as something else")
    func cutMounts() {
        let bytes = Array(Self.overlay.utf8)
        for length in bytes.indices {
            let mount = MountTable(parsing: Array(bytes[..<length])).mounts.first
            #expect(mount == nil || mount?.id == 87)
        }
    }

    @Test("a descriptor's mount and mode are found among other lines, and the first of several counts")
    func descriptor() {
        let text = "pos:\t5\nflags:\t0100002\nmnt_id:\t29\nino:\t7\nlock:\t1: mnt_id: 3\nmnt_id:\t30\n"
        #expect(DescriptorInfo(parsing: Array(text.utf8))?.mount == 29)
        #expect(DescriptorInfo(parsing: Array(text.utf8))?.isWritable == true)
        let append = "flags:\t0102001\nmnt_id:\t1\n"
        #expect(DescriptorInfo(parsing: Array(append.utf8))?.isWritable == true)
        let reading = "flags:\t02100000\nmnt_id:\t1\n"
        #expect(DescriptorInfo(parsing: Array(reading.utf8))?.isWritable == false)
    }

    @Test(
        "a damaged description of a descriptor is none",
        arguments: [
            "", "flags:\t0100002\n", "mnt_id:\t29\n", "flags:\t09\nmnt_id:\t29\n", "flags:\t0\nmnt_id:\t-1\n",
            "flags\t0\nmnt_id\t1", "flags:\t7777777777777777777777777777\nmnt_id:\t1\n",
        ])
    func damagedDescriptor(text: String) {
        #expect(DescriptorInfo(parsing: Array(text.utf8)) == nil)
    }

    @Test("a mapped file whose name has gone is told by device, inode, link and path")
    func mapped() throws {
        let text = """
            00400000-0040c000 r-xp 00000000 fd:2c 4161681                            /opt/my app (deleted)
            0040c000-0040d000 r--p 0000c000 fd:2c 4161681                            /opt/my app (deleted)
            7f0000000000-7f0000001000 rw-p 00000000 00:00 0
            7f0000002000-7f0000003000 r--p 00000000 fd:2c 99                         /lib/there.so
            """
        let files = MappedFile.all(parsing: Array(text.utf8))
        let file = try #require(files.first)
        #expect(files.count == 1)
        #expect(file.key == MappedFile.Key(device: 64812, inode: 4_161_681))
        #expect(file.range == FileName("400000-40c000"))
        #expect(file.path == Array("/opt/my app".utf8))
    }

    @Test(
        "a damaged line of maps is left out",
        arguments: [
            " (deleted)", "x-1 r--p 0 fd:2c 1 /a (deleted)", "1-2 r--p 0 fd2c 1 /a (deleted)",
            "1-2 r--p 0 fd:2c 0 /a (deleted)", "1-2 r--p 0 fd:2c z /a (deleted)", "1-2 r--p 0 (deleted)",
            "fffffffffffffffff-2 r--p 0 fd:2c 1 /a (deleted)",
        ])
    func damagedMaps(line: String) {
        #expect(MappedFile.all(parsing: Array(line.utf8)).isEmpty)
    }
}
