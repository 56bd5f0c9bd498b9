internal import Accounting
internal import Kernel

// What the service asks for.
extension ShardWorker {
    func obey(_ commands: [TrackingShard.Command]) {
        for command in commands {
            switch command {
            case .track(let key, let directory): track(key, directory)
            case .running(let key, let isRunning):
                guard let entry = indices[key].flatMap({ tracked[$0] }) else { continue }
                entry.mount?.isRunning = isRunning
                if entry.hasMarks { ready.insert(entry.index) }
            case .forget(let key): forget(key)
            case .linked(let files): note(files)
            case .polled(let index, let report): take(report, ofPoll: index)
            case .barrier(let answer): barriers.append(answer)
            case .stop: isStopped = true
            }
        }
        if isStopped {
            for answer in barriers { answer(nil) }
            barriers = []
        }
    }

    func track(_ key: LayerKey, _ directory: TrackedDirectory) {
        forget(key)
        let index = budget.register()
        let watches = LayerWatches(instance: instance, owners: owners, budget: budget, layer: index)
        let mount =
            directory.silence == nil
            ? nil
            : directory.mount.map {
                MergedMount($0, watches: watches, sight: sight, pollSeconds: options.pollSeconds)
            }
        if mount != nil { followsMounts = true }
        let tracker = LayerTracker(
            fileSystem: KernelFileSystem(
                path: directory.path, watches: watches, mask: options.watchMask, merged: mount,
                selection: EntrySelection(directory.entries)),
            settleSeconds: options.settling.looksAfterSeconds)
        tracker.depthLimit = options.depthLimit
        tracker.queuedSince = { [unowned self] in queuedSince }
        tracker.queueReads = { [unowned self] in drains }
        let now = monotonicNanoseconds()
        tracked[index] = TrackedLayer(key, index, directory, tracker, mount: mount, now: now)
        indices[key] = index
        agenda.call(index, at: now)
    }

    func forget(_ key: LayerKey) {
        pool.cancelPoll(key)
        inodes.remove(key)
        guard let index = indices.removeValue(forKey: key), let entry = tracked.removeValue(forKey: index)
        else { return }
        agenda.cancel(index)
        ready.remove(index)
        entry.tracker.release()
        entry.mount?.release()
        forgetCount(of: entry)
    }
}
