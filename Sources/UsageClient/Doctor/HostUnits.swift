internal import Glibc

/// The units of this host, as its service manager knows them.
public enum HostUnits {
    private static let names = "usaged.socket usaged.service usaged-web.socket usaged-notify.service"

    /// As ``states()``, after those that start or stop have done so; it waits some seconds at most.
    public static func settledStates() -> [UnitState] {
        var units = states()
        for _ in 0..<30 where units.contains(where: \.isChanging) {
            usleep(100_000)
            units = states()
        }
        return units
    }

    /// None where there is no systemd, or where it gives no answer within some seconds.
    ///
    /// It blocks on another program.
    public static func states() -> [UnitState] {
        guard access("/run/systemd/system", F_OK) == 0,
            let output = popen(
                "timeout 5 systemctl show --no-pager -p \(UnitState.properties) \(names) 2>/dev/null", "re")
        else { return [] }
        defer { pclose(output) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, output)
        return UnitState.parse(String(decoding: bytes.prefix(count), as: UTF8.self))
    }
}
