public import Accounting
import Kernel

/// Finds the stores of Podman, Buildah and CRI-O: root's, each user's, and those that these read from.
///
/// A user may write anything into a `storage.conf`. What it names counts only if it is the user's own, so that
/// nobody has the daemon look at, and tell of, what is somebody else's.
public struct ContainersStorageDetection: Sendable {
    /// The administrator's `storage.conf` files; the first that exists is the one.
    public var configurations: [String]
    /// Where root's store is if no file says otherwise.
    public var defaultRoot: String
    public var defaultRunRoot: String
    /// The table of users.
    public var passwd: String
    /// The directory of users' runtime directories, by uid.
    public var runtimeDirectories: String

    public init(
        configurations: [String] = ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"],
        defaultRoot: String = "/var/lib/containers/storage",
        defaultRunRoot: String = "/run/containers/storage", passwd: String = "/etc/passwd",
        runtimeDirectories: String = "/run/user"
    ) {
        self.configurations = configurations
        self.defaultRoot = defaultRoot
        self.defaultRunRoot = defaultRunRoot
        self.passwd = passwd
        self.runtimeDirectories = runtimeDirectories
    }

    /// The stores of this host that exist or were set, and the files that could not be used.
    ///
    /// A store that is inside another one is left out.
    public static func locations(
        _ detection: ContainersStorageDetection = ContainersStorageDetection()
    ) -> (locations: [StoreLocation], problems: [StoreProblem]) {
        var problems: [StoreProblem] = []
        var paths: [String] = []
        for store in detection.stores(&problems) {
            if AbsolutePath.isDirectory(store.root) || store.isWanted { paths.append(store.root) }
            paths += store.others.filter(AbsolutePath.isDirectory)
        }
        var seen: Set<String> = []
        let locations = paths.filter { seen.insert(AbsolutePath.resolve($0)).inserted }
            .map { StoreLocation(kind: .containersStorage, path: $0) }
        let inner = Set(Stores.overlaps(locations).map(\.location))
        return (locations.filter { !inner.contains($0) }, problems)
    }

    /// What the engine that uses this graph root keeps elsewhere.
    public func surroundings(of root: String) -> ContainersStorageSurroundings {
        var problems: [StoreProblem] = []
        let root = AbsolutePath.resolve(root)
        var surroundings = ContainersStorageSurroundings()
        for store in stores(&problems) where AbsolutePath.resolve(store.root) == root {
            surroundings.runRoots.append(store.runRoot)
            surroundings.otherStores += store.others
        }
        surroundings.runRoots = surroundings.runRoots.uniqued()
        surroundings.otherStores = surroundings.otherStores.uniqued()
        return surroundings
    }

    private struct Store {
        var root: String
        var runRoot: String
        var others: [String]
        /// Whether somebody asked for it, so that it is missed where it is not there.
        var isWanted = false
    }

    private func stores(_ problems: inout [StoreProblem]) -> [Store] {
        var system = StorageConfiguration()
        for path in configurations {
            do throws(MetadataFault) {
                guard let found = try StorageConfiguration(path: path, followingLinks: true) else { continue }
                system = found
            } catch {
                var problem = error.problem(of: .store)
                problem.severity = .damaged
                problem.reason +=
                    "; \(defaultRoot) is taken, give --store containers-storage=PATH for another"
                problems.append(problem)
            }
            break
        }
        var stores: [Store] = []
        let root = system.graphRoot ?? defaultRoot
        if root.hasPrefix("/") {
            stores.append(
                Store(
                    root: root, runRoot: system.runRoot ?? defaultRunRoot,
                    others: system.otherStores.filter { $0.hasPrefix("/") }, isWanted: root != defaultRoot))
        } else {
            let reason = "graphroot is \(ObjectID.quoted(root)), not an absolute path"
            problems.append(
                StoreProblem(
                    severity: .damaged, object: .store, path: configurations.first ?? "", reason: reason))
        }
        do throws(MetadataFault) {
            for user in try UserAccount.all(passwd: passwd) where user.uid != 0 {
                if let store = store(of: user, system) { stores.append(store) }
            }
        } catch {
            problems.append(error.problem(of: .store))
        }
        return stores
    }

    /// The store of a user, where there is one.
    ///
    /// What a user did wrong is no problem of the host's: then there is no store.
    private func store(of user: UserAccount, _ system: StorageConfiguration) -> Store? {
        let file = user.home + "/.config/containers/storage.conf"
        let own = try? StorageConfiguration(path: file, followingLinks: false)
        let configured = own?.graphRoot ?? own?.rootlessStoragePath ?? system.rootlessStoragePath
        let root = user.expand(configured ?? "$HOME/.local/share/containers/storage")
        guard isOwn(root, user) else { return nil }
        let runRoot = own?.runRoot.map(user.expand) ?? "\(runtimeDirectories)/\(user.uid)/containers"
        // A user's configuration replaces the administrator's.
        let others = own.map { $0.otherStores.map(user.expand).filter { isOwn($0, user) } }
        return Store(
            root: root, runRoot: runRoot,
            others: others ?? system.otherStores.filter { $0.hasPrefix("/") })
    }

    private func isOwn(_ path: String, _ user: UserAccount) -> Bool {
        guard path.hasPrefix("/"), AbsolutePath.isDirectory(path) else { return false }
        return (try? FileStatus.of(path: path))?.owner == user.uid
    }
}
