import Settings
import Testing
import UsageTestKit

@Suite("Errors in the configuration")
struct SettingsErrorTests {
    private func issues(_ text: String) -> [String] {
        issues(files: [("f.yaml", Array(text.utf8))])
    }

    private func issues(files: [(path: String, bytes: [UInt8])]) -> [String] {
        do throws(SettingsError) {
            _ = try Settings.load(files: files)
            return []
        } catch {
            return error.issues.map(\.description)
        }
    }

    @Test("all errors of all files are told, each with its line, its key and what is allowed")
    func everything() {
        let first = """
            log_level: loud
            stor: []
            tracking:
              polling_interval: 5
              watch_budget: many
            alerts:
              - name: one
                kind: growth
                limit: 10
              - kind: size
                limit: 10G
              - name: one
                kind: weight
                limit: 1GB
                clear: 2GB
                colour: red
            """
        let found = issues(files: [
            ("a.yaml", Array(first.utf8)), ("b.yaml", Array("socket: [1".utf8)),
            ("c.yaml", Array("docker: {daemon_json: etc}".utf8)),
        ])
        #expect(
            found == [
                "a.yaml:1:12: log_level: \"loud\" is not one of trace, debug, info, notice, warning, error, critical",
                "a.yaml:2:1: stor: no such setting; did you mean stores? allowed here: stores, socket, "
                    + "state_directory, log_level, alerts, tracking, docker, notify",
                "a.yaml:4:21: tracking.polling_interval: \"5\" needs a unit; allowed is a number with ms, s, m, h "
                    + "or d, as 30s, 5m, 1h30m or 2d",
                "a.yaml:5:17: tracking.watch_budget: \"many\" is neither auto nor a number from 64 to 100000000",
                "a.yaml:7:5: alerts[0]: a growth rule needs a window, as 10m",
                "a.yaml:10:5: alerts[1]: a rule needs a name",
                "a.yaml:11:12: alerts[1].limit: \"10G\" does not say which unit: write GB (powers of 1000) or GiB "
                    + "(powers of 1024)",
                "a.yaml:12:11: alerts[2].name: the rule one stands in line 7 already; a file may give each name once",
                "a.yaml:13:11: alerts[2].kind: \"weight\" is not one of size, growth",
                "a.yaml:15:12: alerts[2].clear: must not be above the limit: the alert could resolve while the "
                    + "rule is broken",
                "a.yaml:16:5: alerts[2].colour: no such setting; allowed here: name, kind, limit, window, clear, "
                    + "for, severity, match, enabled",
                "b.yaml:2:1: YAML: did not find expected ',' or ']' (while parsing a flow sequence, line 1)",
                "c.yaml:1:23: docker.daemon_json: \"etc\" is not an absolute path; it must begin with /",
            ])
    }

    @Test(
        "a wrong value says what is allowed",
        arguments: [
            ("alerts: 5", "alerts: must be a list, not \"5\""),
            ("alerts: {}", "alerts: must be a list, not a mapping"),
            ("alerts: [5]", "alerts[0]: must be a mapping of keys to values, not \"5\""),
            ("alerts: [{name: [], kind: size, limit: 1}]", "alerts[0].name: must be a text, not a list"),
            ("alerts: [{name: a, kind: size, limit: }]", "alerts[0]: a rule needs limit, as 10GB"),
            ("alerts: [{name: a b, kind: size, limit: 1}]", "is no name for a rule"),
            ("alerts: [{name: a, kind: size, limit: 0}]", "limit: must be more than 0"),
            ("alerts: [{name: a, kind: size, limit: -5}]", "\"-5\" is not a size"),
            ("alerts: [{name: a, kind: size, limit: 1.5}]", "a number with decimals needs a unit"),
            ("alerts: [{name: a, kind: size, limit: 99999999999GB}]", "more than a signed 64-bit"),
            ("alerts: [{name: a, kind: size, limit: 1, window: 5m}]", "a size rule has no window"),
            ("alerts: [{name: a, kind: growth, limit: 1, window: 25h}]", "out of range: from 1s to 1d"),
            ("alerts: [{name: a, kind: growth, limit: 1, window: 1500ms}]", "must be whole seconds"),
            ("alerts: [{name: a, kind: size, limit: 1, for: 8d}]", "out of range: from 0s to 7d"),
            ("alerts: [{name: a, kind: size, limit: 1, severity: bad}]", "is not one of warning, critical"),
            ("alerts: [{name: a, kind: size, limit: 1, enabled: 2}]", "is neither true nor false"),
            ("alerts: [{name: a, kind: size, limit: 1, match: {nam: b}}]", "did you mean name?"),
            ("alerts: [{name: a, kind: size, limit: 1, match: {name: ''}}]", "1 to 256 characters"),
            ("alerts: [{name: a, kind: size, limit: 1, match: {labels: [a]}}]", "must be a mapping"),
            ("stores: docker=/a", "stores: must be a list"),
            (
                "stores: [docker]",
                "is not KIND=PATH; KIND is docker, docker-classic, containers-storage, containerd or plain"
            ),
            (
                "stores: [rkt=/a]",
                "there is no kind \"rkt\"; KIND is docker, docker-classic, containers-storage, containerd or plain"
            ),
            ("stores: [docker=a]", "is not an absolute path"),
            ("stores: [docker=/a/../b]", "without . and .."),
            ("stores: [docker=/a, docker=/a]", "stores[1]: \"docker=/a\" is given twice"),
            ("tracking: {batch_interval: 2s}", "out of range: from 10ms to 1s"),
            ("tracking: {watch_budget: 3}", "neither auto nor a number from 64"),
            ("tracking: {pollingInterval: 3s}", "did you mean polling_interval?"),
            ("tracking: {audit_interval: 99999999999999999999d}", "is too long"),
            ("socket: {group: 'a b'}", "is not the name of a group"),
            ("? [a]\n: b", "a key must be a plain text"),
            ("5", "must be a mapping"), ("~: 5", "no such setting"),
            ("log_level: info\nlog_level: debug", "\"log_level\" given more than once"),
            ("a: 1\n---\nb: 2", "another document"),
            ("alerts:\n\t- a", "indent with spaces"),
            ("alerts: [{name: a, kind: size, limit: 1, match: {name: *web}}]", "must stand in quotes"),
            ("log_level: \"a\u{1}\"", "holds a control character"),
            ("log_level: &a info", "anchors (&name) are not supported"),
            ("socket: {path: \(String(repeating: "/x", count: 60))}", "107 bytes"),
        ])
    func wrongValues(text: String, message: String) {
        let found = issues(text)
        #expect(found.count == 1)
        #expect(found.first?.contains(message) == true)
        #expect(found.first?.hasPrefix("f.yaml:") == true)
    }

    @Test("of very many errors the first hundred are told")
    func manyErrors() {
        let found = issues((0..<5000).map { "key\($0): 1\n" }.joined())
        #expect(found.count == 101)
        #expect(found.last == "f.yaml: has more errors")
    }

    @Test("control characters of a value do not reach the message")
    func escaping() {
        let found = issues("log_level: \"a\\e[31m\\nb\"")
        #expect(found.first?.contains("\"a\\u{1b}[31m\\u{a}b\" is not one of") == true)
    }

    @Test("a huge, deep or expanding file is refused at once")
    func bombs() {
        #expect(issues(String(repeating: "#", count: 1 << 20) + "\n").first?.contains("1 MiB") == true)
        for opening in ["[", "{", "- ", "? ", "{a: ", "[{"] {
            #expect(issues(String(repeating: opening, count: 5000)).count == 1)
        }
        for lineBreak in ["\n", "\r", "\r\n", "\u{85}", "\u{2028}"] {
            let deep = (0..<1200).map { String(repeating: " ", count: $0) + "a:" + lineBreak }.joined()
            #expect(issues(deep).first?.contains("is indented too far") == true)
        }
        var laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n"
        for (one, two) in zip("abcdefgh", "bcdefghi") {
            laughs += "\(two): &\(two) [*\(one),*\(one),*\(one),*\(one),*\(one),*\(one),*\(one),*\(one)]\n"
        }
        #expect(issues(laughs).first?.contains("anchors") == true)
        #expect(issues(files: [("f", [0x61, 0xFF, 0x0A])]) == ["f: is not UTF-8 text"])
        #expect(issues(files: [("f", [0xFF, 0xFE, 0x61, 0x00])]) == ["f: is not UTF-8 text"])
    }

    @Test("an ampersand that is no anchor is left alone")
    func ampersand() {
        #expect(
            issues("# R & D, a&b\nalerts: [{name: a, kind: size, limit: 1, match: {name: 'a&b & c'}}]")
                .isEmpty)
    }

    @Test("damaged files are refused or read, but never crash", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) {
        let valid = """
            stores: [docker=/a]
            socket: {path: "/run/a.sock"}
            tracking:
              polling_interval: 20s
            alerts:
              - {name: "one", kind: growth, window: 1h30m, limit: 1.5GB}
              - name: two
                kind: size
                limit: |
                  5
            """
        var random = SeededGenerator(seed: seed)
        let pieces = Array("[]{}:,-?!&*#|>%@'\"\\ \n\t\0\u{85}\u{2028}9eE~<=".utf8)
        for _ in 0..<400 {
            var bytes = Array(valid.utf8)
            for _ in 0...Int.random(in: 0..<6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = pieces.randomElement(using: &random) ?? 0
                case 1: bytes.insert(pieces.randomElement(using: &random) ?? 0, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 5))
                }
            }
            _ = issues(files: [("seed \(seed)", bytes)])
        }
    }
}
