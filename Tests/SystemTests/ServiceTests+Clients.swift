import Foundation
import Testing
import UsageTestKit
import Wire

extension ServiceTests {
    /// Sends one request to the TCP socket, and prints the answer.
    private static let tcpRequest = #"""
        use strict;
        use IO::Socket::INET;
        my ($request) = @ARGV;
        $request =~ s/\\r/\r/g;
        $request =~ s/\\n/\n/g;
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 9189) or die "connect: $!\n";
        print $socket $request;
        print while <$socket>;
        """#

    @Test(
        "the TCP socket is off by default; passed by systemd it answers GET of every user, and changes nothing"
    )
    func web() async throws {
        let world = try await world()
        let system = world.system
        try Self.tcpRequest.write(toFile: world.scratch("package/tcp.pl"), atomically: false, encoding: .utf8)
        func answer(_ line: String, host: String = "localhost:9189") async throws -> String {
            let request = "\(line) HTTP/1.1\\r\\nHost: \(host)\\r\\nConnection: close\\r\\n\\r\\n"
            return try await system.output("perl /srv/package/tcp.pl '\(request)'", as: "stranger")
        }
        #expect(try await system.run("perl /srv/package/tcp.pl x", as: "stranger").status != 0)
        try await system.output(
            """
            systemctl stop usaged.service
            systemctl start usaged-web.socket
            systemctl start usaged.service
            """)
        let status = try await answer("GET /v1/containers/web-1")
        #expect(status.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(status.prefix(300))")
        #expect(status.contains("\"id\":\"\(world.containerID)\""))
        #expect(!status.lowercased().contains("access-control"))
        #expect(try await answer("POST /v1/marks/web").hasPrefix("HTTP/1.1 405 "))
        #expect(try await answer("GET /v1/status", host: "elsewhere.example").hasPrefix("HTTP/1.1 403 "))
        #expect(try await system.run("usage-client since web").status == 1)
        // The daemon itself has no network.
        let pid = try await system.property("MainPID")
        #expect(
            try await system.output(
                "[ \"$(readlink /proc/\(pid)/ns/net)\" != \"$(readlink /proc/1/ns/net)\" ] && echo own")
                == "own")
        try await system.output("systemctl stop usaged.service usaged-web.socket")
    }

    /// Does to the socket what no client should, so many times, and keeps some connections open meanwhile.
    private static let abuse = #"""
        use strict;
        use IO::Socket::UNIX;
        my ($count) = @ARGV;
        $SIG{PIPE} = 'IGNORE';
        srand(7);
        my @open;
        my @requests = (
            sub { join '', map { chr(int(rand(256))) } 1 .. 300 },
            sub { "GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " . 'y' x 40_000 . "\r\n\r\n" },
            sub { "GET /" . '%' x 3_000 . " HTTP/1.1\r\nHost: x\r\n\r\n" },
            sub { "POST /v1/marks/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" . 'z' x 60_000 },
            sub { "POST /v1/reclaim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" },
            sub { "GET /v1/status HTTP/1.1\r\n" . "A: b\r\n" x 500 },
            sub { "GET /v1/sta" },
            sub { '' },
            sub { "GET /v1/containers/" . '../' x 50 . "etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n" x 20 },
            sub { "GET /v1/feed HTTP/1.1\r\nHost: x\r\nLast-Event-ID: " . '9' x 400 . "\r\n\r\n" },
        );
        for my $number (0 .. $count - 1) {
            my $socket = IO::Socket::UNIX->new(Peer => '/run/usaged/usaged.sock') or next;
            $socket->blocking(0);
            syswrite $socket, $requests[$number % @requests]->();
            # Half-open and unread: given up one by one.
            push @open, $socket;
            close shift @open if @open > 20;
        }
        print "done\n";
        """#

    @Test(
        "ten thousand malformed, oversized and half-open requests leave the figures right and the memory flat"
    )
    func abusiveClients() async throws {
        let world = try await world()
        let system = world.system
        try Self.abuse.write(toFile: world.scratch("package/abuse.pl"), atomically: false, encoding: .utf8)
        let pid = try await system.property("MainPID")
        func anonymousKiB() async throws -> Int {
            let text = try await system.output(
                "sed -n 's/^RssAnon:[^0-9]*\\([0-9]*\\) kB$/\\1/p' /proc/\(pid)/status")
            return try #require(Int(text))
        }
        func abuse(_ count: Int) async throws {
            #expect(
                try await system.output(
                    "perl /srv/package/abuse.pl \(count)", as: "member", deadline: .seconds(180))
                    == "done")
        }
        try await abuse(2_000)
        let before = try await anonymousKiB()
        async let abused: Void = abuse(10_000)
        // Root has places of its own.
        #expect(try await world.accounted() == world.walked())
        try await abused
        let after = try await anonymousKiB()
        #expect(after - before < 8 << 10, "\(before) KiB, then \(after) KiB")
        #expect(try await system.property("MainPID") == pid)
        #expect(try await world.accounted() == world.walked())
        // What was open counts no more: the group is served again.
        try await wait(until: "room for members") {
            try await system.run("usage-client status", as: "member").status == 0
        }
        let descriptors = try await system.output("ls /proc/\(pid)/fd | wc -l")
        #expect(try #require(Int(descriptors.trimmingCharacters(in: .whitespaces))) < 150)
    }
}
