import Testing

/// Work by scripts in a mounted overlay; the lower directory is `FilledOverlay`'s.
struct OverlayWork: Sendable, CustomTestStringConvertible {
    let what: String
    let script: String
    var testDescription: String { what }

    static let all = [
        OverlayWork(what: "copy-up by writing", script: "echo more >> a/e; echo more >> f"),
        OverlayWork(
            what: "copy-up by a change of mode alone, then by writing",
            script: "chmod 600 d a/e; echo more >> d"),
        OverlayWork(
            what: "copy-up of directories", script: "chmod 700 a/a a; mkdir a/a/new; echo x > b/a/b/new"),
        OverlayWork(what: "whiteouts", script: "rm f a/e; rm -rf b"),
        OverlayWork(what: "an opaque directory", script: "rm -rf a; mkdir a; echo x > a/e; mkdir a/d"),
        OverlayWork(
            what: "files made again over whiteouts",
            script: "rm f a/e d; echo again > f; echo again > a/e; ln f d"),
        OverlayWork(
            what: "directories made again over whiteouts",
            script: "rm -rf c/a; mkdir -p c/a/b; rm -rf c/a; echo file > c/a"),
        OverlayWork(
            what: "the names of a lower file with two",
            script: "echo more >> d; echo more >> e; rm d; echo more >> e"),
        OverlayWork(what: "a rename of lower files", script: "mv f g; mv a/e b/moved; mv g f"),
        OverlayWork(
            what: "a rename of lower directories", script: "mv a z; mv z/a y; echo x > y/f; rm -rf z"),
        OverlayWork(
            what: "removal of all that the image has", script: "rm -rf a b c d e f; mkdir a b; echo x > c"),
        OverlayWork(
            what: "a hard link to a lower file", script: "ln d new; echo more >> new; rm d; echo more >> new"),
    ]
}
