internal import ArgumentParser
internal import UsageClient
internal import Wire

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Finds what keeps figures from being exact, and says what to do.",
        discussion: """
            Limits of the kernel and of the daemon against what is needed, stores that cannot be read, units that \
            failed, and what else the daemon tells of itself. Each finding comes with the commands that mend it; nothing is changed.

            Exit status: 0 nothing found; 1 findings; 2 wrong usage; 3 no daemon answers; 4 not permitted.
            """)

    @OptionGroup var options: CommonOptions

    func run() throws {
        let units = HostUnits.states()
        let report: DoctorReport
        let status: ExitStatus
        do throws(ClientError) {
            var facts: DoctorFacts = try options.daemon.get(.doctor)
            HostLimits.complete(&facts)
            report = DoctorReport(facts, units: units)
            status = report.findings.isEmpty ? .done : .failed
        } catch {
            report = DoctorReport(error, units: units)
            status = error.exitStatus
        }
        if options.json {
            try StandardOutput.writeLine(WireCoding.encode(report))
        } else {
            try StandardOutput.write(Render.doctor(report, options.render))
        }
        if status != .done { throw EndWith(status: status.rawValue) }
    }
}
