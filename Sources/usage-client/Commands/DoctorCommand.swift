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
        let report: DoctorReport
        let status: ExitStatus
        do throws(ClientError) {
            var facts: DoctorFacts = try options.daemon.get(.doctor)
            HostLimits.complete(&facts)
            report = DoctorReport(facts, units: HostUnits.states())
            status = report.findings.isEmpty ? .done : .failed
        } catch {
            // Asking may have started the service by its socket, which then failed.
            report = DoctorReport(error, units: HostUnits.settledStates())
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
