internal import Accounting

/// The immutable layers whose figures are not final: which walk each waits for, and which barriers wait for those.
///
/// A file that was written lately may get other blocks at writeback, so a layer is measured again until its newest
/// inode has come of age. Pure bookkeeping: it starts no walk, and time comes in as a value.
struct SettlingLayers {
    /// A walk that has begun; a later one has a greater serial number.
    struct Walk: Hashable, Sendable {
        var key: LayerKey
        var directory: String
        var serial: Int
    }

    enum Outcome: Hashable, Sendable {
        case final
        /// The figure may still change and is to be looked at again at `due`.
        case young(due: Int64)
        case failed(reason: String, retry: Int64)
    }

    struct Answer: Hashable, Sendable {
        var barrier: Int
        /// The layers whose figures may lack something.
        var unsettled: Set<LayerKey>
    }

    struct Ending: Hashable, Sendable {
        /// Whether the owner should hear of it: the layer was not forgotten, and it is no known failure.
        var isNews = false
        /// Whether the layer now waits in the queue again.
        var isQueuedAgain = false
        var answers: [Answer] = []
    }

    private enum State: Hashable {
        case queued
        case running(serial: Int)
        case resting(due: Int64)
    }

    private struct Entry {
        var directory: String
        var state = State.queued
        /// Whether the last walk that ended found a figure.
        var isMeasured = false
        var failure: String?
        /// A barrier came after the walk that runs had begun.
        var isAskedAgain = false
        /// The owner wants another walk after the one that runs.
        var isAddedAgain = false
    }

    private struct Barrier {
        /// Only walks with a greater serial number began after the question.
        var after: Int
        var missing: Set<LayerKey>
        var unsettled: Set<LayerKey>
    }

    private var entries: [LayerKey: Entry] = [:]
    /// The layers that rest.
    ///
    /// After a restore of ten thousand layers nearly all of them do, and are due within seconds.
    private var due = Agenda<LayerKey>()
    private var barriers: [Int: Barrier] = [:]
    private var lastSerial = 0
    private var lastBarrier = 0

    var count: Int { entries.count }

    // MARK: Layers

    /// Takes a layer in that is to be measured; returns whether it has to be put in the queue.
    mutating func add(_ key: LayerKey, directory: String) -> Bool {
        guard entries[key]?.directory == directory, let state = entries[key]?.state else {
            let wasQueued = entries[key]?.state == .queued
            // A walk of another directory that runs is nobody's any more; barriers wait for the next.
            set(Entry(directory: directory), of: key)
            return !wasQueued
        }
        switch state {
        case .queued: return false
        case .running:
            entries[key]?.isAddedAgain = true
            return false
        case .resting:
            wake(key)
            return true
        }
    }

    /// Lets go of a layer; returns the barriers that waited for it last.
    mutating func forget(_ key: LayerKey) -> [Answer] {
        set(nil, of: key)
        return settle(key, by: .max, isUnsettled: false)
    }

    /// Puts the layers in the queue whose time has come.
    mutating func takeDue(at now: Int64) -> [LayerKey] {
        let keys = due.takeDue(at: now)
        for key in keys { entries[key]?.state = .queued }
        return keys
    }

    /// When ``takeDue(at:)`` next has something.
    var nextDue: Int64? { due.next }

    private mutating func set(_ entry: Entry?, of key: LayerKey) {
        due.cancel(key)
        entries[key] = entry
        if case .resting(let time) = entry?.state { due.call(key, at: time) }
    }

    private mutating func wake(_ key: LayerKey) {
        due.cancel(key)
        entries[key]?.state = .queued
    }

    // MARK: Walks

    /// Takes a layer out of the queue; `nil` when it is not in it.
    mutating func begin(_ key: LayerKey) -> Walk? {
        guard let entry = entries[key], entry.state == .queued else { return nil }
        lastSerial += 1
        entries[key]?.state = .running(serial: lastSerial)
        return Walk(key: key, directory: entry.directory, serial: lastSerial)
    }

    func isWanted(_ walk: Walk) -> Bool {
        entries[walk.key]?.state == .running(serial: walk.serial)
    }

    mutating func end(_ walk: Walk, _ outcome: Outcome) -> Ending {
        guard isWanted(walk), var entry = entries[walk.key] else { return Ending() }
        var ending = Ending(isNews: true)
        var isFinal = false
        let isAskedAgain = entry.isAskedAgain || entry.isAddedAgain
        switch outcome {
        case .final:
            isFinal = true
            entry.isMeasured = true
        case .young(let due):
            entry.isMeasured = true
            entry.failure = nil
            entry.state = .resting(due: due)
        case .failed(let reason, let retry):
            ending.isNews = entry.failure != reason
            entry.isMeasured = false
            entry.failure = reason
            entry.state = .resting(due: retry)
        }
        if isFinal ? entry.isAddedAgain : isAskedAgain {
            entry.state = .queued
            ending.isQueuedAgain = true
        }
        entry.isAskedAgain = false
        entry.isAddedAgain = false
        set(isFinal && !ending.isQueuedAgain ? nil : entry, of: walk.key)
        // What is final was so before the walk began, so that it answers later questions too.
        ending.answers = settle(
            walk.key, by: isFinal ? .max : walk.serial, isUnsettled: !entry.isMeasured)
        return ending
    }

    // MARK: Barriers

    /// Asks for the figures of all layers as they are from now on.
    ///
    /// Layers that have never been measured are not waited for. Returns the layers in the queue that should be
    /// measured before all others, and the answer where nothing has to be waited for.
    mutating func ask() -> (barrier: Int, urgent: [LayerKey], answer: Answer?) {
        lastBarrier += 1
        var barrier = Barrier(after: lastSerial, missing: [], unsettled: [])
        var urgent: [LayerKey] = []
        for (key, entry) in entries {
            guard entry.isMeasured else {
                barrier.unsettled.insert(key)
                continue
            }
            barrier.missing.insert(key)
            switch entry.state {
            case .running: entries[key]?.isAskedAgain = true
            case .queued: urgent.append(key)
            case .resting:
                wake(key)
                urgent.append(key)
            }
        }
        guard !barrier.missing.isEmpty else {
            return (lastBarrier, [], Answer(barrier: lastBarrier, unsettled: barrier.unsettled))
        }
        barriers[lastBarrier] = barrier
        return (lastBarrier, urgent, nil)
    }

    /// Ends the wait of a barrier, with what was not measured for it; `nil` when it was answered before.
    mutating func giveUp(_ barrier: Int) -> Answer? {
        guard let waiting = barriers.removeValue(forKey: barrier) else { return nil }
        return Answer(barrier: barrier, unsettled: waiting.unsettled.union(waiting.missing))
    }

    private mutating func settle(_ key: LayerKey, by serial: Int, isUnsettled: Bool) -> [Answer] {
        var answers: [Answer] = []
        for id in barriers.keys.sorted() {
            guard var barrier = barriers[id], serial > barrier.after, barrier.missing.remove(key) != nil
            else { continue }
            if isUnsettled { barrier.unsettled.insert(key) }
            barriers[id] = barrier
            guard barrier.missing.isEmpty else { continue }
            barriers[id] = nil
            answers.append(Answer(barrier: id, unsettled: barrier.unsettled))
        }
        return answers
    }
}
