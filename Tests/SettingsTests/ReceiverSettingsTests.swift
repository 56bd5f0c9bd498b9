import Accounting
import Settings
import Testing

@Suite("Receivers of alerts in the configuration")
struct ReceiverSettingsTests {
    private func load(_ receivers: String...) throws(SettingsError) -> [Receiver] {
        try Settings.load(
            files: receivers.enumerated().map { index, text in
                ("\(index + 1).yaml", Array("notify:\n  receivers:\n\(text)\n".utf8))
            }
        ).receivers
    }

    private func issues(_ receiver: String) -> [String] {
        do throws(SettingsError) {
            let taken = try load(receiver)
            Issue.record("taken: \(taken)")
            return []
        } catch {
            return error.issues.map(\.description)
        }
    }

    @Test("every setting is taken")
    func everything() throws {
        let receivers = try load(
            """
                - name: page
                  kind: command
                  command: [/usr/local/bin/page, --to, "on call", ""]
                  timeout: 30s
                  severity: critical
                  repeat: 4h
                  match: {rule: "grow*", engine: docker, name: "web-*", image: "shop:*"}
                - name: hook
                  kind: webhook
                  url: https://alerts.example.org:8443/hook?team=1
                  headers: {X-Team: storage, X-Other: "a: b"}
                  bearer_token_file: hook-token
                  ca_file: /etc/ssl/own.pem
                - name: secret
                  kind: webhook
                  url_file: /run/secrets/url
                - {name: am, kind: alertmanager, url: "http://127.0.0.1:9093", repeat: 30s}
                - {name: am2, kind: alertmanager, url: "http://[::1]:9093"}
            """)
        #expect(
            receivers == [
                Receiver(
                    name: "page", kind: .command(["/usr/local/bin/page", "--to", "on call", ""]),
                    timeout: .seconds(30), severity: .critical,
                    match: Receiver.Match(
                        rule: Glob("grow*"), engine: Glob("docker"), name: Glob("web-*"),
                        image: Glob("shop:*")),
                    repeatInterval: .seconds(4 * 3600)),
                Receiver(
                    name: "hook",
                    kind: .webhook(
                        Receiver.Endpoint(
                            address: .url("https://alerts.example.org:8443/hook?team=1"),
                            headers: [
                                Receiver.Header(name: "X-Team", value: "storage"),
                                Receiver.Header(name: "X-Other", value: "a: b"),
                            ], bearerToken: .credential("hook-token"), authorities: "/etc/ssl/own.pem"))),
                Receiver(
                    name: "secret",
                    kind: .webhook(Receiver.Endpoint(address: .file(.path("/run/secrets/url"))))),
                Receiver(
                    name: "am",
                    kind: .alertmanager(Receiver.Endpoint(address: .url("http://127.0.0.1:9093"))),
                    repeatInterval: .seconds(30)),
                Receiver(
                    name: "am2", kind: .alertmanager(Receiver.Endpoint(address: .url("http://[::1]:9093"))),
                    repeatInterval: .seconds(60)),
            ])
    }

    @Test("a later file replaces a receiver by its name, or puts it out of force")
    func laterFiles() throws {
        let receivers = try load(
            "    - {name: a, kind: command, command: [/bin/a]}\n    - {name: b, kind: command, command: [/bin/b]}",
            "    - {name: a, kind: command, command: [/bin/c]}\n    - {name: b, enabled: false}")
        #expect(receivers == [Receiver(name: "a", kind: .command(["/bin/c"]))])
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let text: String
        let place: String
        let says: String
        var testDescription: String { text }

        init(_ text: String, _ place: String, _ says: String) {
            self.text = text
            self.place = place
            self.says = says
        }
    }

    static let wrong = [
        Wrong("{kind: command, command: [/bin/a]}", "notify.receivers[0]", "a receiver needs a name"),
        Wrong(
            "{name: a/b, kind: command, command: [/bin/a]}", "notify.receivers[0].name",
            "no name for a receiver"),
        Wrong("{name: .a, kind: command, command: [/bin/a]}", "notify.receivers[0].name", "begin with a dot"),
        Wrong("{name: a}", "notify.receivers[0]", "needs kind"),
        Wrong("{name: a, kind: mail}", "notify.receivers[0].kind", "command, webhook, alertmanager"),
        Wrong("{name: a, kind: command}", "notify.receivers[0]", "needs command"),
        Wrong("{name: a, kind: command, command: /bin/a}", "notify.receivers[0].command", "must be a list"),
        Wrong("{name: a, kind: command, command: []}", "notify.receivers[0].command", "1 to 64"),
        Wrong("{name: a, kind: command, command: [a]}", "notify.receivers[0].command[0]", "absolute path"),
        Wrong(
            "{name: a, kind: command, command: [/bin/a], url: \"http://h\"}", "notify.receivers[0].url",
            "is for kind"),
        Wrong("{name: a, kind: webhook}", "notify.receivers[0]", "needs url"),
        Wrong(
            "{name: a, kind: webhook, command: [/a], url: \"http://h\"}", "notify.receivers[0].command",
            "kind: command"),
        Wrong(
            "{name: a, kind: webhook, url: ftp://h}", "notify.receivers[0].url", "must begin with https://"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://u:p@h\"}", "notify.receivers[0].url",
            "must not hold a password"),
        Wrong("{name: a, kind: webhook, url: \"http://:80/\"}", "notify.receivers[0].url", "names no host"),
        Wrong("{name: a, kind: webhook, url: \"http://h/a b\"}", "notify.receivers[0].url", "without spaces"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", url_file: /f}", "notify.receivers[0].url_file",
            "one of the two"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", headers: {Host: b}}",
            "notify.receivers[0].headers.Host",
            "set by the client"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", headers: {\"X Y\": b}}",
            "notify.receivers[0].headers.X Y",
            "no name of a header"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", headers: {X: \"a\\r\\nb\"}}",
            "notify.receivers[0].headers.X",
            "without controls"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", headers: {authorization: b}, bearer_token_file: t}",
            "notify.receivers[0].headers", "bearer_token_file sets"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", bearer_token_file: ../t}",
            "notify.receivers[0].bearer_token_file", "absolute path"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", timeout: 0s}", "notify.receivers[0].timeout",
            "from 1s to 5m"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", repeat: 5s}", "notify.receivers[0].repeat", "from 1m"
        ),
        Wrong(
            "{name: a, kind: alertmanager, url: \"http://h\", repeat: 5s}", "notify.receivers[0].repeat",
            "from 10s to 1h"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", match: {labels: {a: b}}}",
            "notify.receivers[0].match.labels",
            "no such setting"),
        Wrong(
            "{name: a, kind: webhook, url: \"http://h\", colour: b}", "notify.receivers[0].colour",
            "no such setting"),
    ]

    @Test("what is wrong is told once, with its line and its key", arguments: wrong)
    func errors(wrong: Wrong) {
        let found = issues("    - \(wrong.text)")
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("1.yaml:3:") == true, "\(found)")
        #expect(found.first?.contains(": \(wrong.place): ") == true, "\(found)")
        #expect(found.first?.contains(wrong.says) == true, "\(found)")
    }

    @Test("more receivers than are allowed are refused")
    func tooMany() {
        let many = (0..<33).map { "    - {name: r\($0), kind: command, command: [/bin/a]}" }
        #expect(
            issues(many.joined(separator: "\n")).first?.contains("33 receivers are in force, 32 are allowed")
                == true)
    }
}
