import Foundation
import Journal
import Testing
import UsageTestKit
import Wire

extension ServiceTests {
    /// A web server that keeps what is posted to it, one body a line.
    private static let webhook = #"""
        use strict;
        use IO::Socket::INET;
        my $server = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => 9301, Listen => 16, ReuseAddr => 1) or die "listen: $!\n";
        while (my $client = $server->accept) {
            my $length = 0;
            while (my $line = <$client>) {
                $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
                last if $line eq "\r\n";
            }
            read($client, my $body, $length) if $length;
            open(my $log, '>>', '/srv/package/webhook.log') or die;
            print $log "$body\n";
            close $log;
            print $client "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            close $client;
        }
        """#

    /// Prints what an Alertmanager has.
    ///
    /// HTTP/1.0 answers in one piece.
    private static let alertsOfAlertmanager = #"""
        use strict;
        use IO::Socket::INET;
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 9093) or exit 1;
        print $socket "GET /api/v2/alerts HTTP/1.0\r\n\r\n";
        my $answer = join '', <$socket>;
        $answer =~ s/^.*?\r\n\r\n//s;
        print $answer;
        """#

    private static let startReceivers = """
        systemd-run --quiet --unit=test-webhook perl /srv/package/webhook.pl
        systemd-run --quiet --unit=test-alertmanager /usr/bin/prometheus-alertmanager \
            --config.file=/srv/package/alertmanager.yml --storage.path=/tmp/alertmanager \
            --web.listen-address=127.0.0.1:9093 --cluster.listen-address=
        """

    private struct Posted: Decodable {
        struct Entry: Decodable {
            var status: String
            var labels: [String: String]
            var startsAt: String
        }

        var alerts: [Entry]
    }

    private struct Kept: Decodable {
        var labels: [String: String]
        var startsAt: String
    }

    /// The alerts that the webhook got, the oldest first.
    private func posted(_ world: SystemWorld) throws -> [Posted.Entry] {
        guard let text = try? String(contentsOfFile: world.scratch("package/webhook.log"), encoding: .utf8)
        else {
            return []
        }
        return try text.split(separator: "\n").flatMap {
            try JSONDecoder().decode(Posted.self, from: Data($0.utf8)).alerts
        }
    }

    /// The alerts of a rule that the Alertmanager has.
    private func kept(_ world: SystemWorld, rule: String) async throws -> [Kept] {
        let result = try await world.system.run("perl /srv/package/alerts.pl")
        guard result.status == 0, !result.out.isEmpty else { return [] }
        return try JSONDecoder().decode([Kept].self, from: Data(result.out.utf8)).filter {
            $0.labels["alertname"] == rule
        }
    }

    @Test(
        "growth is told in the journal, to a webhook and to an Alertmanager, and again after these were down",
        .enabled(if: Program.isRequired("prometheus-alertmanager"), "needs prometheus-alertmanager"))
    func growth() async throws {
        let world = try await world()
        let system = world.system
        for (name, text) in [
            "webhook.pl": Self.webhook, "alerts.pl": Self.alertsOfAlertmanager,
            "alertmanager.yml": "route: {receiver: none}\nreceivers: [{name: none}]\n",
        ] {
            try text.write(toFile: world.scratch("package/\(name)"), atomically: false, encoding: .utf8)
        }
        let settings = """
            alerts:
              - {name: web-growth, kind: growth, limit: 10MB, window: 1m, severity: critical, match: {image: "web:*"}}
            notify:
              receivers:
                - {name: hook, kind: webhook, url: "http://127.0.0.1:9301/hook"}
                - {name: monitoring, kind: alertmanager, url: "http://127.0.0.1:9093", repeat: 10s}

            """
        try settings.write(
            toFile: system.path("/etc/usaged/conf.d/50-local.yaml"), atomically: false, encoding: .utf8)
        try await system.output(
            "systemctl reload usaged.service\n\(Self.startReceivers)\nsystemctl start usaged-notify.service")
        let pid = try await system.property("MainPID")
        func records(_ kind: RecordKind) async throws -> [[String: String]] {
            try await system.journal("_PID=\(pid) MESSAGE_ID=\(kind.messageID) USAGED_RULE=web-growth")
        }

        let file = URL(fileURLWithPath: "\(world.upper)/grown")
        try Data(repeating: 0x67, count: 20_000_000).write(to: file)
        let fired = try await wait(for: "the alert in the journal") { try await records(.alertFiring).first }
        #expect(fired["PRIORITY"] == "2")
        #expect(fired["SYSLOG_IDENTIFIER"] == "usaged")
        #expect(fired["_SYSTEMD_UNIT"] == "usaged.service")
        #expect(fired["USAGED_CONTAINER"] == "web-1")
        #expect(fired["USAGED_CONTAINER_ID"] == world.containerID)
        #expect(fired["USAGED_IMAGE"] == "web:1")
        #expect(fired["USAGED_LIMIT_BYTES"] == "10000000")
        let value = try #require(fired["USAGED_VALUE_BYTES"].flatMap { Int64($0) })
        // It may be seen while it is written; its directory may take a block more.
        #expect(value > 10_000_000 && value < 20_100_000)
        let explained = try await system.output(
            "journalctl -x --no-pager _PID=\(pid) MESSAGE_ID=\(RecordKind.alertFiring.messageID)")
        #expect(explained.contains("Subject: A limit on disk usage is exceeded"), "\(explained)")
        #expect(!explained.contains("@USAGED_"))

        try await wait(until: "the webhook to have it", deadline: .seconds(40)) {
            try posted(world).contains { $0.status == "firing" && $0.labels["alertname"] == "web-growth" }
        }
        try await wait(until: "the Alertmanager to have it", deadline: .seconds(40)) {
            try await !kept(world, rule: "web-growth").isEmpty
        }
        let first = try #require(try await kept(world, rule: "web-growth").first)
        #expect(first.labels["container"] == "web-1" && first.labels["severity"] == "critical")
        #expect(first.labels["container_id"] == world.containerID && first.labels["image"] == "web:1")

        // Both are down while it is resolved and fires again, and the one that delivers is killed.
        try await system.output(
            """
            systemctl stop test-webhook.service test-alertmanager.service
            rm -rf /tmp/alertmanager /srv/package/webhook.log
            """)
        try FileManager.default.removeItem(at: file)
        try await wait(until: "it to be resolved", deadline: .seconds(40)) {
            try await !records(.alertResolved).isEmpty
        }
        try Data(repeating: 0x68, count: 30_000_000).write(to: file)
        try await wait(until: "it to fire again", deadline: .seconds(40)) {
            try await records(.alertFiring).count == 2
        }
        try await wait(until: "the failure to be told", deadline: .seconds(40)) {
            let failing = try await system.journal(
                "-u usaged-notify.service MESSAGE_ID=\(RecordKind.deliveryFailing.messageID)")
            return Set(failing.compactMap { $0["USAGED_RECEIVER"] }) == ["hook", "monitoring"]
        }
        try await system.output("systemctl kill --signal=KILL usaged-notify.service")
        try await system.output(Self.startReceivers)
        try await wait(until: "the webhook to have both", deadline: .seconds(90)) {
            try posted(world).filter { $0.labels["alertname"] == "web-growth" }.map(\.status).suffix(2)
                == ["resolved", "firing"]
        }
        try await wait(until: "the Alertmanager to have the second", deadline: .seconds(90)) {
            try await kept(world, rule: "web-growth").contains { $0.startsAt > first.startsAt }
        }
        #expect(try await system.property("ActiveState", of: "usaged-notify.service") == "active")
        // No capability, and a user of its own.
        let sender = try await system.property("MainPID", of: "usaged-notify.service")
        #expect(
            try await system.output("sed -n 's/^CapEff:[^0-9]*//p' /proc/\(sender)/status")
                == "0000000000000000")
        #expect(try await system.output("stat -c %u /proc/\(sender)") != "0")

        try FileManager.default.removeItem(at: file)
        try await system.output(
            "systemctl stop usaged-notify.service test-webhook.service test-alertmanager.service")
    }
}
