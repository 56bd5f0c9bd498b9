import Settings
import Testing

@Suite("Sizes and durations")
struct SettingsTextTests {
    @Test(
        "a size",
        arguments: [
            ("0", 0), ("10", 10), ("10B", 10), ("10GB", 10_000_000_000), ("512 MiB", 512 << 20),
            ("1.5GB", 1_500_000_000), ("1.5 gib", 3 << 29), ("0.1kB", 100), ("2KB", 2000),
            ("3TB", 3_000_000_000_000),
            ("1.9B", 1), ("9223372036854775807", .max), ("9.223372036854775807PB", 9_223_372_036_000_000),
            ("0.000000001GB", 1), ("00012", 12), ("8191PiB", 8191 << 50),
        ] as [(String, Int64)])
    func bytes(text: String, bytes: Int64) throws {
        #expect(try SettingsText.bytes(text) == bytes)
    }

    @Test(
        "no size",
        arguments: [
            "", " ", "GB", "10 XB", "10G", "1..5GB", "1.GB", ".5GB", "-1", "+1", "1e9", "1_000", "10GB ",
            "9223372036854775808", "9223372036854775807kB", "8192PiB", "0x10", "10GBB", "1,5GB", "١GB",
        ])
    func noBytes(text: String) {
        #expect(throws: SettingsText.Rejection.self) { try SettingsText.bytes(text) }
    }

    @Test(
        "a duration",
        arguments: [
            ("0", 0), ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000),
            ("2d", 172_800_000),
            ("1h30m", 5_400_000), ("1h 30m", 5_400_000), ("1.5s", 1500), ("5 m", 300_000),
        ] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) throws {
        #expect(try SettingsText.milliseconds(text) == milliseconds)
    }

    @Test(
        "no duration", arguments: ["", "5", "s", "5 minutes", "-5s", "5s3", "99999999999999d", "5M", "1h-1m"])
    func noDurations(text: String) {
        #expect(throws: SettingsText.Rejection.self) { try SettingsText.milliseconds(text) }
    }

    @Test("an absolute path", arguments: ["/", "/a", "/a/.b/..c/...", "/\u{301}a/b", "/with space/é"])
    func paths(text: String) throws {
        #expect(try SettingsText.absolutePath(text) == text)
    }

    @Test(
        "no path, or one that leads elsewhere, whatever character a slash and a mark make together",
        arguments: ["", "a", "./a", "/a/../b", "/a/.", "/..", "/a/../\u{5AA}b", "/a\nb", "/./\u{301}"])
    func noPaths(text: String) {
        #expect(throws: SettingsText.Rejection.self) { try SettingsText.absolutePath(text) }
    }
}
