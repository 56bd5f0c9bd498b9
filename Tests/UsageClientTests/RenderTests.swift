import Testing
import Wire

@testable import UsageClient

/// The exact text of each answer on a terminal of 80 columns.
struct RenderTests {
    private let options = RenderOptions(width: 80, zone: .utc)

    @Test("status")
    func status() {
        #expect(
            Render.status(Samples.status, options) == """
                ● usaged 0.1.0  exact  as of 2026-11-24 14:02:11

                SOURCE           ROOT             STATE  WATCHES
                docker overlay2  /var/lib/docker  exact     1204

                FILE SYSTEM      SIZE     USED  USE%  AVAILABLE  ATTRIBUTED    OTHER
                /var/lib/docker  20GB  5.938GB   31%       13GB     254.6MB  5.684GB

                CLASS           COUNT     DISK     SIZE
                image layers        9  233.4MB  227.9MB
                containers          1   21.2MB  20.97MB
                container logs      1  4.096kB     120B
                volumes             0       0B       0B
                build cache         0       0B       0B
                content blobs       0       0B       0B
                overhead            0       0B       0B
                in flight           0       0B       0B
                orphans             0       0B       0B

                CONTAINER  IMAGE             DISK     LOGS        1m        1h  STATE
                web        zigiweb:latest  21.2MB  4.096kB  +20.97MB  +20.97MB  exact

                """)
    }

    @Test("status without a store says where was looked and what to do, unless the stores are yet to be read")
    func statusWithoutStore() {
        var status = Samples.status
        status.sources = []
        let text = Render.status(status, RenderOptions(width: nil, zone: .utc))
        #expect(
            text.contains(
                "\nno store of a container engine found on this host\n  Docker's was looked for at "))
        for hint in [
            "/etc/docker/daemon.json", "/var/lib/docker", "docker.daemon_json", "--store docker=/PATH",
            "stores: [docker=/PATH] in /etc/usaged/conf.d/50-local.yaml",
        ] {
            #expect(text.contains(hint))
        }
        let lines = Render.status(status, options).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 })
        status.exact = false
        let starting = Render.status(status, options)
        #expect(starting.contains("\nno store has been read yet\n"))
        #expect(!starting.contains("no store of a container engine"))
    }

    @Test("status says why it is not exact, how far measuring is, and what fires")
    func statusInTrouble() {
        var status = Samples.status
        status.exact = false
        status.reasons = [
            "no inotify watch left: raise fs.inotify.max_user_watches; 3 directories are polled"
        ]
        status.progress = Progress(layersMeasured: 120, layersTotal: 412)
        status.sources[0].state = .polling
        status.sources[0].reason = "no inotify watch left"
        status.sources[0].problems = [
            SourceProblem(object: "image 4c1f", path: "/var/lib/docker/image/4c1f", reason: "no JSON")
        ]
        status.filesystems = []
        status.containers = (1...12).map { Samples.container(name: "web-\($0)", disk: Int64($0)) }
        status.alerts = [Samples.alert]
        let text = Render.status(status, options)
        #expect(
            text.hasPrefix(
                """
                ● usaged 0.1.0  not exact  as of 2026-11-24 14:02:11
                  no inotify watch left: raise fs.inotify.max_user_watches; 3 directories are
                  polled
                  measuring layers 120 of 412  █████░░░░░░░░░░░░░░░

                SOURCE           ROOT             STATE    WATCHES
                docker overlay2  /var/lib/docker  polling     1204
                  docker: no inotify watch left
                  docker: image 4c1f not read: no JSON (/var/lib/docker/image/4c1f)

                """))
        #expect(
            text.hasSuffix(
                """
                and 2 more: usage-client containers

                1 alert firing
                  critical  web grew by 20.97MB within 60s (limit 10MB)

                """))
        #expect(text.contains("web-12") && !text.contains("web-1 "))
    }

    @Test("images, a line for each name")
    func images() {
        let list = ImageList(
            time: Samples.time, exact: true,
            images: [Samples.ubuntu, Samples.image(), Samples.image(names: [])])
        #expect(
            Render.images(list, withSteps: true, options) == """
                NAME            ID               SIZE  OWN   SHARED   UNIQUE  CONTAINERS
                ubuntu:14.04    5506de2b643b  188.3MB   0B  188.3MB       0B           0
                ubuntu:trusty   5506de2b643b  188.3MB   0B  188.3MB       0B           0
                zigiweb:latest  5242a1b2c3d4  227.9MB   0B  188.3MB  39.57MB           1
                <none>          5242a1b2c3d4  227.9MB   0B  188.3MB  39.57MB           1

                """)
    }

    @Test("untagged images that others are built on are counted, and listed when asked for")
    func buildSteps() {
        var step = Samples.image(names: [])
        step.id = Samples.edited
        var image = Samples.image()
        image.parent = step.id
        let list = ImageList(time: Samples.time, exact: true, images: [image, step])
        #expect(
            Render.images(list, withSteps: false, options) == """
                NAME            ID               SIZE  OWN   SHARED   UNIQUE  CONTAINERS
                zigiweb:latest  5242a1b2c3d4  227.9MB   0B  188.3MB  39.57MB           1

                1 build step not listed; --all lists them

                """)
        #expect(Render.images(list, withSteps: true, options).contains("<none>"))
    }

    @Test("the tree as Docker drew it")
    func tree() {
        #expect(
            Render.tree(Samples.tree, RenderOptions()) == """
                └─5506de2b643b Size: 188.3 MB Virtual Size: 188.3 MB Tags: ubuntu:14.04
                  ├─8aaf98371fcb Size: 1.615 kB Virtual Size: 188.3 MB
                  │ └─5242a1b2c3d4 Size: 0 B Virtual Size: 188.3 MB Tags: zigiweb:latest Containers: 1
                  └─0d106c9f7b67 Size: 2 MB Virtual Size: 190.3 MB Tags: other:1

                """)
    }

    @Test("names that have no room beside the figures stand below them")
    func narrowTree() {
        #expect(
            Render.tree(Samples.tree, RenderOptions(width: 60)) == """
                └─5506de2b643b Size: 188.3 MB Virtual Size: 188.3 MB
                  │ Tags: ubuntu:14.04
                  ├─8aaf98371fcb Size: 1.615 kB Virtual Size: 188.3 MB
                  │ └─5242a1b2c3d4 Size: 0 B Virtual Size: 188.3 MB
                  │     Tags: zigiweb:latest Containers: 1
                  └─0d106c9f7b67 Size: 2 MB Virtual Size: 190.3 MB
                      Tags: other:1

                """)
    }

    @Test("a chain of 127 layers leaves room for the figures")
    func deepTree() {
        var node = Samples.node(Samples.zigiweb, ["deep:1"], 1, 127, [])
        for depth in (1..<127).reversed() { node = Samples.node(Samples.base, [], 1, Int64(depth), [node]) }
        let tree = Tree(time: Samples.time, exact: true, roots: [node])
        let lines = Render.tree(tree, options).split(separator: "\n")
        #expect(lines.count == 128)
        #expect(lines.allSatisfy { TerminalText.columns(String($0)) <= 80 })
        #expect(lines[126].contains("└─5242a1b2c3d4 Size: 1 B Virtual Size: 127 B"))
        #expect(lines[127].hasSuffix(" Tags: deep:1 Containers: 1"))
    }

    @Test("history, the newest step first, up to the virtual size")
    func history() {
        #expect(
            Render.history(Samples.detail, options) == """
                zigiweb:latest: 4 steps, the newest first

                IMAGE         CREATED  CREATED BY                                  SIZE    TOTAL
                5242a1b2c3d4  2h ago   CMD ["nginx"]                                 0B  227.9MB
                8aaf98371fcb  2h ago   RUN echo "daemon off;" >> /etc/nginx/n…  1.615kB  227.9MB
                <missing>     2h ago   RUN apt-get update && apt-get install …  39.57MB  227.9MB
                5506de2b643b  2h ago   ADD file:2d4b in /                       188.3MB  188.3MB

                virtual size 227.9MB (227877825 bytes)

                """)
        var detail = Samples.detail
        detail.image.virtualSizeBytes = 1
        #expect(
            Render.history(detail, options).contains(
                "note: the steps add up to 227.9MB (227877825 bytes): the store's history and its"))
    }

    @Test("inspect of an image: own step, virtual size, the chain of parents")
    func inspectImage() {
        #expect(
            Render.inspect(Samples.detail, options) == """
                Image        zigiweb:latest
                Id           5242a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e
                Engine       docker
                Parent       d374a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e
                             0a5aa1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e
                Created      2026-11-24 13:00:00
                Platform     linux/amd64
                Size         0B (0 bytes), its own step
                VirtualSize  227.9MB (227877825 bytes), with its base
                DiskSize     233.4MB (233369600 bytes), allocated
                Shared       188.3MB (188304295 bytes), with other images
                Unique       39.57MB (39573530 bytes)
                Containers   1
                State        exact
                Layers       2, the lowest first
                             5506de2b643be1e6febbf3b8a240760c6843244c41e12aa2f60ccbb7153d17f5
                             8aaf98371fcb4b4e5a6f1f0b9d5b1c3f7f2b1f7c5f1d4f8e9a0b1c2d3e4f5a6b

                """)
    }

    @Test("inspect of a container: writable layer, mounts, what grew")
    func inspectContainer() {
        #expect(
            Render.inspect(Samples.containerDetail, options) == """
                Container    web
                Id           0d106c9f7b67aa0c83d1e9b4e4cf0f3f9f6ac0b3f7d2f5b1a8c9d0e1f2a3b4c5
                Engine       docker
                Image        zigiweb:latest
                ImageId      5242a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e
                Created      2026-11-24 13:30:00
                Running      yes
                DiskSize     21.2MB (21200896 bytes), allocated by its writable layer
                Size         20.97MB (20972000 bytes), its writable layer
                VirtualSize  248.8MB (248849825 bytes), with its image
                Logs         4.096kB (4096 bytes)
                LogPath      /var/lib/docker/containers/0d10/0d10-json.log
                Growth       +20.97MB in 1m, +20.97MB in 1h, +20.97MB in 24h
                State        exact
                Layer        f00d
                             /var/lib/docker/overlay2/f00d/diff
                             21.2MB allocated, 12 inodes
                Chain        2 image layers, the lowest first
                             5506de2b643be1e6febbf3b8a240760c6843244c41e12aa2f60ccbb7153d17f5
                             8aaf98371fcb4b4e5a6f1f0b9d5b1c3f7f2b1f7c5f1d4f8e9a0b1c2d3e4f5a6b
                Label        team=shop

                MOUNT   NAME  SOURCE                              DESTINATION
                volume  data  /var/lib/docker/volumes/data/_data  /data

                    GREW  PATH
                +20.97MB  /data/big.bin

                """)
    }

    @Test("containers, the largest first, whole where the output is no terminal")
    func containers() {
        let list = ContainerList(
            time: Samples.time, exact: false,
            containers: [
                Samples.container(name: "small", disk: 4096, minute: -8192, state: .polling),
                Samples.container(),
            ])
        #expect(
            Render.containers(list, RenderOptions()) == """
                NAME   ID            IMAGE           WRITABLE     SIZE  VIRTUAL        1m        1h  STATE    UP
                web    0d106c9f7b67  zigiweb:latest    21.2MB  20.97MB  248.8MB  +20.97MB  +20.97MB  exact    yes
                small  0d106c9f7b67  zigiweb:latest   4.096kB  20.97MB  248.8MB  -8.192kB  -8.192kB  polling  yes

                not exact: see usage-client status for the reasons

                """)
        #expect(
            Render.containers(list, options).hasPrefix(
                """
                NAME   ID            IMAGE        WRITABLE     SIZE        1m        1h  STATE
                web    0d106c9f7b67  zigiw…atest    21.2MB  20.97MB  +20.97MB  +20.97MB  exact
                """))
    }

    @Test("containers: on 80 columns long names stay readable, and less telling columns go")
    func longNames() {
        let list = ContainerList(
            time: Samples.time, exact: true,
            containers: (1...30).map {
                Samples.container(name: "shop-production-database-replica-\($0)", disk: Int64($0))
            })
        let lines = Render.containers(list, options).split(separator: "\n")
        #expect(lines.count == 31)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines[0].hasPrefix("NAME "))
        #expect(lines[1].hasPrefix("shop-produ"))
        #expect(lines[1].contains("replica-30  "))
    }

    @Test("df: every byte used is in one class")
    func diskFree() {
        var status = Samples.status
        status.progress = Progress(layersMeasured: 120, layersTotal: 412)
        #expect(
            Render.diskFree(status, options) == """
                /var/lib/docker
                  size 20GB, used 5.938GB (31%), available 13GB, attributed 4%
                  CLASS                   DISK  OF USED
                  image layers         233.4MB       4%
                  container layers      21.2MB      <1%
                  container logs       4.096kB      <1%
                  volumes                   0B       0%
                  build cache               0B       0%
                  content blobs             0B       0%
                  overhead                  0B       0%
                  orphans                   0B       0%
                  in flight                 0B       0%
                  deleted, still open       0B       0%
                  other                5.684GB      96%
                  used                 5.938GB     100%

                other: files of the host that belong to no store, and the file system's own
                note: 120 of 412 layers are measured; the others are not yet attributed and
                      count as other

                """)
    }

    @Test("since: layers by step, containers, what df moved and what explains it")
    func since() {
        #expect(
            Render.since(Samples.since, options) == """
                since before: 2026-11-24 13:50:11, 12m ago

                LAYERS ADDED                                  IMAGES              DISK      SIZE
                RUN apt-get update && apt-get install -y ng…  zigiweb:latest   +41.5MB  +39.57MB
                RUN echo "daemon off;" >> /etc/nginx/nginx.…  zigiweb:latest  +20.48kB  +1.615kB
                sum of 2 layers                                               +41.52MB  +39.57MB

                CONTAINER  ID            CHANGE       DISK      SIZE
                web        0d106c9f7b67  changed  +20.97MB  +20.97MB

                together +62.49MB on the disk, +60.55MB in size

                FILE SYSTEM      DF MOVED  EXPLAINED  THE REST
                /var/lib/docker   +62.9MB   +62.49MB  +410.8kB
                the rest: metadata and journal of the file system, and whatever else the host
                          wrote meanwhile

                """)
    }

    @Test("alerts: what fires, what grew, the rules in force")
    func alerts() {
        #expect(
            Render.alerts(Samples.alerts, options) == """
                FIRING    RULE    CONTAINER    VALUE  LIMIT  WINDOW  AGE
                critical  growth  web        20.97MB   10MB     60s  60s
                  web grew by 20.97MB within 60s (limit 10MB)
                    +20.97MB  /data/big.bin

                rules in force: growth, size

                """)
        let none = AlertList(time: Samples.time, exact: true, alerts: [], rules: [])
        #expect(Render.alerts(none, options) == "no alerts; no rules in force\n")
    }

    @Test("a line for each event, none for a heartbeat")
    func feed() {
        func line(_ type: FeedEvent.Kind, _ change: (inout FeedEvent) -> Void) -> String? {
            var event = FeedEvent(type: type, id: 1, time: Samples.time)
            change(&event)
            return Render.event(event, options)
        }
        #expect(line(.heartbeat) { _ in } == nil)
        for (change, text) in [
            (Since.Change(diskBytes: 0, sizeBytes: 0), "web changed, still 21.2MB"),
            (Since.Change(diskBytes: 0, sizeBytes: 12), "+12B in size web, still 21.2MB on the disk"),
        ] {
            let shown = line(.usage) {
                $0.container = Samples.container()
                $0.change = change
            }
            #expect(shown == "14:02:11 \(text)\n")
        }
        #expect(
            line(.usage) {
                $0.container = Samples.container()
                $0.change = Since.Change(diskBytes: 20_971_520, sizeBytes: 20_971_520)
                $0.paths = [PathGrowth(path: "/data/big.bin", growthBytes: 20_971_520)]
            } == "14:02:11 +20.97MB web, now 21.2MB  /data/big.bin +20.97MB\n")
        #expect(
            line(.snapshot) {
                $0.status = Samples.status
                $0.lost = 37
            } == "14:02:11 snapshot (37 events lost): 1 container, 21.2MB writable; 2 images, 233…\n")
        #expect(
            line(.containerAdded) { $0.container = Samples.container(disk: 8192) }
                == "14:02:11 container web added, 8.192kB on zigiweb:latest\n")
        #expect(
            line(.containerRemoved) { $0.container = Samples.container(disk: 8192) }
                == "14:02:11 container web removed, 8.192kB given back\n")
        #expect(
            line(.imageRemoved) { $0.image = Samples.image() } == "14:02:11 image zigiweb:latest removed\n")
        #expect(
            line(.alert) { $0.alert = Samples.alert }
                == "14:02:11 critical firing: web grew by 20.97MB within 60s (limit 10MB)\n")
        #expect(
            line(.source) {
                $0.source = Samples.status.sources[0]
                $0.source?.state = .polling
                $0.source?.reason = "queue overflow"
            } == "14:02:11 docker /var/lib/docker is polling: queue overflow\n")
    }

    @Test("sizes follow the options, colour comes only when asked for")
    func styles() {
        var options = options
        options.bytes = .exact
        let list = ContainerList(time: Samples.time, exact: true, containers: [Samples.container()])
        #expect(Render.containers(list, options).contains("+20971520B"))
        options.bytes = .binary
        #expect(Render.containers(list, options).contains("+20MiB"))
        options.colour = true
        #expect(Render.containers(list, options).contains("\u{1B}[32mexact\u{1B}[0m"))
    }
}
