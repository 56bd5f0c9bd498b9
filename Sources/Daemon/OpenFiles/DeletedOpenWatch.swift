internal import Accounting
internal import Dispatch
internal import Kernel
internal import Synchronization

/// The thread that looks for deleted but open files: at intervals, and where that is cheap before an answer.
final class DeletedOpenWatch: Sendable {
    /// Without this a figure would be a guess, and 0 a lie.
    static let notPermitted = "needs CAP_SYS_PTRACE"

    private static let millisecond: Int64 = 1_000_000
    /// From the start to the first look.
    private static let start = 1_000 * millisecond
    private static let interval = 30_000 * millisecond
    /// The rest after a look, in times of what it cost: at most a hundredth of a core.
    private static let restFactor: Int64 = 100
    /// Looks that cost no more are made for answers as well.
    private static let cheap = 50 * millisecond
    /// Of so many looks the cheapest counts.
    private static let judged = 4
    /// How long an answer waits for a look.
    private static let patienceMilliseconds = 1000
    /// A look has a bound of its own; one that takes so long hangs.
    private static let hanging = 10_000 * millisecond

    private struct State {
        var waiting: [FirstResult<Bool>] = []
        var lookBegan: Int64?
        /// Processor time of the last looks.
        var costs: [Int64] = []

        var areLooksCheap: Bool {
            costs.count < judged || costs.contains { $0 <= cheap }
        }
    }

    private let books: UsageBooks
    private let isPermitted: Bool
    private let wakeUp: WakeUp
    private let state = Mutex(State())
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - books: Where reports go, and layers come from.
    ///   - isPermitted: Whether processes of others may be looked at.
    /// - Throws: What kept the thread's wake-up from being made: no descriptors left.
    init(books: UsageBooks, isPermitted: Bool = OpenFileScanner.isPermitted) throws(KernelError) {
        self.books = books
        self.isPermitted = isPermitted
        wakeUp = try WakeUp()
    }

    func start() {
        guard isPermitted else {
            books.record(DeletedOpenReport(.unknown(reason: Self.notPermitted)), asOf: nil)
            return
        }
        NamedThread.start("open-files") { [self] in run() }
    }

    /// Has the thread end; it is not waited for, since it may hang in the kernel.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        wakeUp.signal()
    }

    /// Has a look made that begins after this call, if looks are cheap, and waits for it a while.
    func refresh() async {
        guard isPermitted else { return }
        let result = FirstResult<Bool>()
        let mayAsk = state.withLock { state in
            guard state.areLooksCheap, !Self.isHanging(state) else { return false }
            state.waiting.append(result)
            return true
        }
        guard mayAsk else { return }
        wakeUp.signal()
        let isDone = await result.value(withinMilliseconds: Self.patienceMilliseconds, otherwise: false)
        if !isDone { state.withLock { $0.waiting.removeAll { $0 === result } } }
    }

    /// Since how long a look has hung, in words; `nil` where none does.
    var complaint: String? {
        state.withLock { state in
            guard Self.isHanging(state), let began = state.lookBegan else { return nil }
            return
                "a look at the open files has not ended for \((Moment.now().uptime - began) / 1_000_000_000) s"
        }
    }

    private static func isHanging(_ state: State) -> Bool {
        state.lookBegan.map { Moment.now().uptime - $0 > hanging } ?? false
    }

    private func run() {
        let scanner = OpenFileScanner()
        let known = KnownLayerPlaces()
        // The first look leaves the processor to the first figures; who asks need not wait for it.
        var due = Moment.now().uptime + Self.start
        var budget = LookBudget()
        while !isStopped.load(ordering: .relaxed) {
            let isAsked = state.withLock { !$0.waiting.isEmpty }
            let now = Moment.now().uptime
            let wait = (isAsked ? min(due, budget.next(at: now)) : due) - now
            guard wait <= 0 else {
                let milliseconds = Int32(clamping: (wait + Self.millisecond - 1) / Self.millisecond)
                // Who asks meanwhile is heard; while one waits for the rest to end, nobody else can shorten it.
                _ = Poll.wait(for: isAsked ? [] : [wakeUp.descriptor], timeoutMilliseconds: milliseconds)
                wakeUp.clear()
                continue
            }
            let began = Moment.now()
            let waiting = state.withLock { state in
                state.lookBegan = began.uptime
                defer { state.waiting = [] }
                return state.waiting
            }
            let (report, cost) = look(scanner, known)
            guard !isStopped.load(ordering: .relaxed) else { return }
            books.record(report, asOf: began)
            let ended = Moment.now().uptime
            state.withLock { state in
                state.lookBegan = nil
                state.costs = state.costs.suffix(Self.judged - 1) + [cost]
            }
            due = ended + max(Self.interval, cost * Self.restFactor)
            budget.spend(cost, at: ended)
            for result in waiting { result.give(true) }
        }
    }

    private func look(
        _ scanner: OpenFileScanner, _ known: KnownLayerPlaces
    ) -> (DeletedOpenReport, cost: Int64) {
        let start = ThreadClock.now()
        let snapshot = books.advance().snapshot
        guard var before = known.places(in: snapshot) else {
            return (DeletedOpenReport(.unknown(reason: "/proc/self/mountinfo cannot be read")), 0)
        }
        let scan = scanner.scan { before.isWanted($0, $1) }
        let report = DeletedOpenTally.report(
            scan, places: before, after: known.places(in: snapshot) ?? before,
            metacopyByDefault: Self.metacopyByDefault)
        return (report, Int64(clamping: ThreadClock.now() - start + scan.spentElsewhere))
    }

    private static var metacopyByDefault: Bool {
        let value = try? BoundedFile.read(path: "/sys/module/overlay/parameters/metacopy", limit: 16)
        return value?.first == UInt8(ascii: "Y")
    }
}
