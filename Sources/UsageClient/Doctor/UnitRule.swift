/// Units that failed, or that the service manager had to start again.
enum UnitRule {
    static func findings(_ units: [UnitState]) -> [Finding] {
        units.compactMap { unit in
            if unit.active == "failed" { return failed(unit, units) }
            if unit.restarts > 0 { return restarted(unit) }
            return nil
        }
    }

    private static func failed(_ unit: UnitState, _ units: [UnitState]) -> Finding {
        // `usaged` and `usage-client` end with 2 where trying again cannot help.
        let isWrong = unit.name.hasSuffix(".service") && unit.result == "exit-code" && unit.exitStatus == 2
        return Finding(
            id: "unit", severity: .problem,
            what: isWrong
                ? "\(unit.name) has failed: its configuration or its command line is wrong."
                : "\(unit.name) has failed: \(unit.result).",
            why: isWrong
                ? "It is not started again until that is mended: usaged --check-config names file, line and key."
                : """
                It is not started again by itself, nor by a client's call. The journal says why it ended; start it \
                when that is mended.
                """,
            commands: (isWrong ? ["usaged --check-config"] : ["journalctl -b -n 50 -u \(unit.name)"])
                + recovery(unit, units))
    }

    /// A service that ended too often takes its socket along.
    private static func recovery(_ unit: UnitState, _ units: [UnitState]) -> [String] {
        guard ["usaged.service", "usaged.socket"].contains(unit.name) else {
            return ["sudo systemctl reset-failed \(unit.name)", "sudo systemctl start \(unit.name)"]
        }
        let failed = units.filter { $0.active == "failed" }.map(\.name)
        return [
            "sudo systemctl reset-failed \(failed.joined(separator: " "))",
            "sudo systemctl start usaged.socket usaged.service",
        ]
    }

    private static func restarted(_ unit: UnitState) -> Finding {
        let times = unit.restarts == 1 ? "once" : "\(unit.restarts) times"
        return Finding(
            id: "restarts", severity: .warning,
            what: "\(unit.name) ended by itself and was started again \(times).",
            why:
                "The journal says why. Figures are the same after a start; the second command ends this warning.",
            commands: [
                "journalctl -b -p warning -u \(unit.name)", "sudo systemctl reset-failed \(unit.name)",
            ])
    }
}
