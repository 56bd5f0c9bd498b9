import Wire

/// The host of the post that the project starts from: `zigiweb` on `ubuntu:14.04`, one container of it.
enum Samples {
    static let time = "2026-11-24T14:02:11.123Z"
    static let base = "5506de2b643be1e6febbf3b8a240760c6843244c41e12aa2f60ccbb7153d17f5"
    static let edited = "8aaf98371fcb4b4e5a6f1f0b9d5b1c3f7f2b1f7c5f1d4f8e9a0b1c2d3e4f5a6b"
    static let zigiweb = "5242a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e"
    static let web = "0d106c9f7b67aa0c83d1e9b4e4cf0f3f9f6ac0b3f7d2f5b1a8c9d0e1f2a3b4c5"
    /// A name that would rewrite the screen: escape code, newline, bidirectional override.
    static let hostile = "a\u{1B}[2Jb\nc\u{202E}d"

    static func image(names: [String] = ["zigiweb:latest"]) -> Image {
        Image(
            engine: "docker", root: "/var/lib/docker", id: zigiweb, names: names,
            parent: "d374" + zigiweb.dropFirst(4),
            sizeBytes: 0, virtualSizeBytes: 227_877_825, diskBytes: 233_369_600, sharedBytes: 188_304_295,
            uniqueBytes: 39_573_530, layers: [base, edited], containers: 1, created: "2026-11-24T13:00:00Z")
    }

    static let ubuntu = Image(
        engine: "docker", root: "/var/lib/docker", id: base, names: ["ubuntu:14.04", "ubuntu:trusty"],
        parent: nil, sizeBytes: 0,
        virtualSizeBytes: 188_304_295, diskBytes: 192_614_400, sharedBytes: 188_304_295, uniqueBytes: 0,
        layers: [base], containers: 0)

    /// Two files that a container deleted and holds, of which one has names that would rewrite the screen.
    static let deletedOpen = DeletedOpen(
        diskBytes: 10_489_856, sizeBytes: 10_485_770, count: 2,
        files: [
            DeletedOpen.File(
                pid: 4711, processes: 2, command: "nginx", path: "/var/log/access.log", diskBytes: 10_485_760,
                sizeBytes: 10_485_760),
            DeletedOpen.File(
                pid: 4712, processes: 1, command: hostile, path: hostile, diskBytes: 4096, sizeBytes: 10),
        ])

    static func container(
        name: String = "web", disk: Int64 = 21_200_896, minute: Int64 = 20_971_520,
        state: SourceState = .exact
    ) -> Container {
        Container(
            engine: "docker", root: "/var/lib/docker", id: web, name: name, image: "zigiweb:latest",
            state: state, diskBytes: disk,
            sizeBytes: 20_972_000, virtualSizeBytes: 248_849_825, logBytes: 4096, volumes: [],
            growth: Growth(minute: minute, hour: minute, day: minute), running: true,
            created: "2026-11-24T13:30:00Z")
    }

    static let detail = ImageDetail(
        time: time, exact: true, image: image(),
        history: [
            step("/bin/sh -c #(nop) ADD file:2d4b in /", base, 188_304_295, 188_304_295, image: base),
            step("/bin/sh -c apt-get update && apt-get install -y nginx", "aa", 39_571_915, 227_876_210),
            step(
                "/bin/sh -c echo \"daemon off;\" >> /etc/nginx/nginx.conf", edited, 1615, 227_877_825,
                image: edited),
            step("/bin/sh -c #(nop) CMD [\"nginx\"]", nil, 0, 227_877_825, image: zigiweb),
        ],
        parents: ["d374" + zigiweb.dropFirst(4), "0a5a" + zigiweb.dropFirst(4)], architecture: "amd64",
        os: "linux")

    private static func step(
        _ instruction: String, _ layer: String?, _ size: Int64, _ running: Int64, image: String? = nil
    ) -> ImageDetail.Step {
        ImageDetail.Step(
            instruction: instruction, created: "2026-11-24T12:02:11Z", layer: layer, image: image,
            sizeBytes: size, diskBytes: size, runningSizeBytes: running)
    }

    static var fileSystem: FileSystem {
        var attributed = FileSystem.Attributed()
        attributed.imageLayers = 233_369_600
        attributed.containerLayers = 21_200_896
        attributed.containerLogs = 4096
        attributed.deletedOpen = 0
        return FileSystem(
            mount: "/var/lib/docker", sizeBytes: 20_000_000_000, usedBytes: 5_938_405_376,
            availableBytes: 13_000_000_000, attributed: attributed, otherBytes: 5_683_830_784)
    }

    static let alert = Alert(
        rule: "growth", severity: .critical, state: .firing, engine: "docker", root: "/var/lib/docker",
        container: "web", containerID: web, image: "zigiweb:latest", valueBytes: 20_971_520,
        limitBytes: 10_000_000,
        windowSeconds: 60, since: "2026-11-24T14:01:11Z",
        message: "web grew by 20.97MB within 60s (limit 10MB)",
        top: [PathGrowth(path: "/data/big.bin", growthBytes: 20_971_520)])

    static var status: Status {
        var totals = Totals()
        totals.imageLayers = Total(count: 9, diskBytes: 233_369_600, sizeBytes: 227_877_825)
        totals.containers = Total(count: 1, diskBytes: 21_200_896, sizeBytes: 20_972_000)
        totals.logs = Total(count: 1, diskBytes: 4096, sizeBytes: 120)
        return Status(
            time: time, version: "0.1.0", exact: true,
            sources: [
                Source(
                    engine: "docker", driver: "overlay2", root: "/var/lib/docker", state: .exact, asOf: time,
                    watches: 1204)
            ],
            filesystems: [fileSystem], totals: totals, images: [ubuntu, image()], containers: [container()])
    }

    static let tree = Tree(
        time: time, exact: true,
        roots: [
            node(
                base, ["ubuntu:14.04"], 188_304_295, 188_304_295,
                [
                    node(
                        edited, [], 1615, 188_305_910, [node(zigiweb, ["zigiweb:latest"], 0, 188_305_910, [])]
                    ),
                    node(web, ["other:1"], 2_000_000, 190_304_295, []),
                ])
        ])

    static func node(
        _ id: String, _ names: [String], _ own: Int64, _ virtual: Int64, _ children: [Tree.Node]
    ) -> Tree.Node {
        Tree.Node(
            kind: .image, engine: "docker", id: id, names: names, sizeBytes: own, virtualSizeBytes: virtual,
            diskBytes: own, containers: id == zigiweb ? 1 : 0, children: children)
    }

    static let since = Since(
        time: time, exact: true, mark: "before", since: "2026-11-24T13:50:11Z",
        layersAdded: [
            Since.LayerChange(
                engine: "docker", id: "aa", kind: "image",
                instruction: "/bin/sh -c apt-get update && apt-get install -y nginx",
                images: ["zigiweb:latest"],
                diskBytes: 41_500_000, sizeBytes: 39_571_915),
            Since.LayerChange(
                engine: "docker", id: edited, kind: "image",
                instruction: "/bin/sh -c echo \"daemon off;\" >> /etc/nginx/nginx.conf",
                images: ["zigiweb:latest"],
                diskBytes: 20_480, sizeBytes: 1615),
        ],
        layersRemoved: [],
        containers: [
            Since.ContainerChange(
                change: .changed, engine: "docker", root: "/var/lib/docker", id: web, name: "web",
                diskBytes: 20_971_520,
                sizeBytes: 20_971_520)
        ],
        totals: Since.Change(diskBytes: 62_492_000, sizeBytes: 60_545_050),
        filesystems: [
            Since.FileSystemChange(
                mount: "/var/lib/docker", usedBytes: 62_902_784, attributedBytes: 62_492_000,
                otherBytes: 410_784)
        ])

    static let containerDetail = ContainerDetail(
        time: time, exact: true, container: container(), imageID: zigiweb, labels: ["team": "shop"],
        logPath: "/var/lib/docker/containers/0d10/0d10-json.log",
        mounts: [
            ContainerDetail.Mount(
                kind: "volume", name: "data", source: "/var/lib/docker/volumes/data/_data",
                destination: "/data")
        ],
        layer: Layer(
            engine: "docker", id: "f00d", kind: "container", parent: edited,
            directory: "/var/lib/docker/overlay2/f00d/diff", diskBytes: 21_200_896, sizeBytes: 20_972_000,
            inodes: 12, declaredSizeBytes: nil, sharedInodeBytes: 0, images: [], containers: [web],
            state: .exact),
        initLayer: nil, chain: [base, edited],
        top: [PathGrowth(path: "/data/big.bin", growthBytes: 20_971_520)])

    static let alerts = AlertList(
        time: time, exact: true, alerts: [alert], rules: ["growth", "size"])
}
