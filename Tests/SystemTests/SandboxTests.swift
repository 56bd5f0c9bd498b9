import Foundation
import Glibc
import Testing
import UsageTestKit

extension ServiceTests {
    /// The unit with a probe in the daemon's place: the same user, capability and sandbox.
    ///
    /// It prints a line for each thing that it tried, with the error number, 0 for none.
    private static let probe = #"""
        use strict;
        use Socket;
        my $machine = (split ' ', `uname -m`)[0];
        # Of asm/unistd.h: x86_64, and the numbers that newer architectures share.
        my %calls = (
            ptrace => [101, 117], mount => [165, 40], unshare => [272, 97], setns => [308, 268],
            bpf => [321, 280], keyctl => [250, 219], init_module => [175, 105], reboot => [169, 142],
            swapon => [167, 224], quotactl => [179, 60], fanotify_init => [300, 262],
            open_by_handle_at => [304, 265], clock_settime => [227, 112], perf_event_open => [298, 241],
            process_vm_readv => [310, 270], setuid => [105, 146], userfaultfd => [323, 282],
        );
        sub report { my ($name, $isDone) = @_; printf "%s %d\n", $name, $isDone ? 0 : $!; }
        for my $name (sort keys %calls) {
            my $number = $calls{$name}[$machine eq 'x86_64' ? 0 : 1];
            # Arguments that none of them takes, so that nothing happens where the call is allowed.
            report $name, syscall($number, -1, -1, -1, -1, -1, -1) >= 0;
        }
        my $mmap = $machine eq 'x86_64' ? 9 : 222;
        report 'memory-wx', syscall($mmap, 0, 4096, 7, 0x22, -1, 0) != -1;
        report 'memory-w', syscall($mmap, 0, 4096, 3, 0x22, -1, 0) != -1;
        report 'socket-inet', socket(my $inet, AF_INET, SOCK_STREAM, 0);
        report 'socket-inet6', socket(my $inet6, AF_INET6, SOCK_STREAM, 0);
        report 'socket-netlink', socket(my $netlink, 16, SOCK_RAW, 0);
        report 'socket-unix', socket(my $unix, AF_UNIX, SOCK_STREAM, 0);
        for my $directory (qw(/etc /usr/bin /var/lib /var/lib/docker /run /run/usaged /home /root /boot /dev/shm /run/lock)) {
            report "write-$directory", open(my $file, '>', "$directory/usaged-probe");
        }
        report 'write-/var/lib/usaged', open(my $state, '>', '/var/lib/usaged/probe');
        unlink '/var/lib/usaged/probe';
        report 'write-sysctl', open(my $sysctl, '>', '/proc/sys/kernel/hostname');
        report 'write-cgroup', mkdir('/sys/fs/cgroup/usaged-probe');
        report 'kill', kill(0, 1);
        report 'read-store', opendir(my $layers, '/var/lib/docker/overlay2');
        report 'read-home', opendir(my $home, '/root');
        report 'read-private', open(my $private, '<', '/srv/private/file');
        opendir(my $devices, '/dev');
        report "device-$_", open(my $file, '<', "/dev/$_")
            for grep { -b "/dev/$_" || /^(mem|kmsg|port|kvm|fuse|loop.*)$/ } readdir($devices);
        opendir(my $processes, '/proc');
        my @foreign = grep { /^[0-9]+$/ && (stat "/proc/$_")[4] != $< } readdir($processes);
        printf "foreign-processes %d\n", scalar @foreign;
        printf "capabilities %s\n", (map { /^CapEff:\s*(\w+)/ ? $1 : () } split /\n/, `cat /proc/self/status`)[0];
        """#

    @Test("in the sandbox everything is refused but to read the stores and to write the state")
    func sandbox() async throws {
        let world = try await world()
        let system = world.system
        try Self.probe.write(
            toFile: world.scratch("package/probe.pl"), atomically: false, encoding: .utf8)
        let printed = try await system.output(
            #"""
            mkdir -p -m 0700 /srv/private && touch /srv/private/file && chmod 0600 /srv/private/file
            unit=/run/systemd/system/usaged-probe.service
            sed -e '/^Exec/d' -e '/^Restart/d' -e '/^Watchdog/d' -e '/^Type=/d' -e '/^NotifyAccess=/d' \
                -e '/^Requires=/d' -e 's|^\[Service\]|&\nType=oneshot\nExecStart=/usr/bin/perl /srv/package/probe.pl|' \
                /usr/lib/systemd/system/usaged.service > $unit
            systemctl daemon-reload
            systemctl start usaged-probe.service
            rm -r $unit /srv/private
            systemctl daemon-reload
            journalctl --sync
            journalctl --unit=usaged-probe.service --identifier=usaged --output=cat
            """#)
        var results: [String: String] = [:]
        for line in printed.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2 { results[String(words[0])] = String(words[1]) }
        }
        let allowed: Set = [
            "memory-w", "socket-unix", "write-/var/lib/usaged", "read-store", "read-home", "read-private",
        ]
        for name in allowed { #expect(results[name] == "0", "\(name): \(results[name] ?? "not tried")") }
        #expect(results.removeValue(forKey: "foreign-processes") == "0")
        // CAP_DAC_READ_SEARCH alone.
        #expect(results.removeValue(forKey: "capabilities") == "0000000000000004")
        #expect(!results.isEmpty, "\(printed)")
        let refused = results.filter { !allowed.contains($0.key) }
        #expect(refused.count >= 34)
        for (name, number) in refused { #expect(number != "0", "\(name)") }
        for name in ["ptrace", "mount", "bpf", "fanotify_init", "open_by_handle_at", "setuid", "memory-wx"] {
            #expect(results[name] == "\(EPERM)", "\(name): \(results[name] ?? "not tried")")
        }
        for name in ["socket-inet", "socket-inet6", "socket-netlink"] {
            #expect(results[name] == "\(EAFNOSUPPORT)", "\(name): \(results[name] ?? "not tried")")
        }
    }
}
