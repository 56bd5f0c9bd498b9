import Testing
import Wire

@testable import UsageClient

/// Names, paths and reasons that a container or an image chose, in every place where they are printed.
struct HostileTextTests {
    private static let long = String(repeating: "日本", count: 2000)

    private static func texts(_ evil: String, _ options: RenderOptions) -> [String] {
        var image = Samples.image(names: [evil, evil])
        image.engine = evil
        image.id = evil
        image.parent = evil
        image.layers = [evil]
        image.reason = evil
        image.state = .damaged
        image.created = evil
        var container = Samples.container(name: evil)
        container.id = evil
        container.image = evil
        container.engine = evil
        container.reason = evil
        container.created = evil
        var alert = Samples.alert
        alert.rule = evil
        alert.container = evil
        alert.message = evil
        alert.since = evil
        alert.top = [PathGrowth(path: evil, growthBytes: 1)]
        let source = Source(
            engine: evil, driver: evil, root: evil, state: .stale, reason: evil, asOf: evil, watches: 1,
            problems: [SourceProblem(object: evil, path: evil, reason: evil)])
        var fileSystem = Samples.fileSystem
        fileSystem.mount = evil
        let status = Status(
            time: evil, version: evil, exact: false, reasons: [evil], sources: [source],
            filesystems: [fileSystem],
            images: [image], containers: [container, Samples.container()], alerts: [alert])
        var detail = Samples.detail
        detail.image = image
        detail.parents = [evil, evil]
        detail.os = evil
        detail.history[0].instruction = evil
        detail.history[0].image = evil
        detail.history[0].created = evil
        var containerDetail = Samples.containerDetail
        containerDetail.container = container
        containerDetail.imageID = evil
        containerDetail.labels = [evil: evil]
        containerDetail.logPath = evil
        containerDetail.mounts = [
            ContainerDetail.Mount(kind: evil, name: evil, source: evil, destination: evil)
        ]
        containerDetail.layer?.id = evil
        containerDetail.layer?.directory = evil
        containerDetail.chain = [evil]
        containerDetail.top = alert.top
        var since = Samples.since
        since.mark = evil
        since.since = evil
        since.layersAdded[0].instruction = evil
        since.layersAdded[0].images = [evil]
        since.layersAdded[1].instruction = nil
        since.layersAdded[1].kind = evil
        since.layersAdded[1].id = evil
        since.containers[0].name = evil
        since.containers[0].id = evil
        since.filesystems[0].mount = evil
        var tree = Samples.tree
        tree.roots[0].names = [evil]
        tree.roots[0].id = evil
        tree.roots.append(Samples.node(evil, [evil], 1, 1, []))
        tree.roots[1].engine = evil
        let events = [
            FeedEvent(
                type: .usage, id: 1, time: evil, container: container, change: nil, paths: alert.top),
            FeedEvent(type: .containerAdded, id: 1, time: evil, container: container),
            FeedEvent(type: .imageAdded, id: 1, time: evil, image: image),
            FeedEvent(type: .alert, id: 1, time: evil, alert: alert),
            FeedEvent(type: .source, id: 1, time: evil, source: source),
        ]
        var view = LiveView()
        _ = view.apply(FeedEvent(type: .snapshot, id: 1, time: evil, status: status))
        return [
            Render.status(status, options), Render.diskFree(status, options),
            CheckResult(status, options).line,
            Render.images(
                ImageList(time: evil, exact: true, images: [image, Samples.ubuntu]), withSteps: true, options),
            Render.containers(ContainerList(time: evil, exact: true, containers: status.containers), options),
            Render.history(detail, options), Render.inspect(detail, options),
            Render.inspect(containerDetail, options),
            Render.since(since, options), Render.tree(tree, options),
            Render.alerts(AlertList(time: evil, exact: true, alerts: [alert], rules: [evil]), options),
            Render.markSet(MarkSet(schema: 1, mark: evil, time: evil, exact: true), options),
            view.frame(rows: 24, options).joined(separator: "\n"),
        ] + events.compactMap { Render.event($0, options) }
    }

    @Test(
        "nothing that was chosen by others reaches the terminal unescaped",
        arguments: [nil, 40, 80] as [Int?])
    func escaped(width: Int?) {
        for text in Self.texts(Samples.hostile, RenderOptions(width: width)) {
            for scalar in text.unicodeScalars where scalar != "\n" {
                #expect(scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value != 0x202E, "\(text)")
            }
        }
    }

    @Test("tables, trees and events keep to the width of the terminal whatever the names")
    func fits() {
        // Not inspect, where ids and paths stand whole, and not check and mark, which are for programs.
        let wide: Set<Int> = [2, 6, 7, 11]
        let texts = Self.texts(Self.long, RenderOptions(width: 80, zone: .utc))
        for (position, text) in texts.enumerated() where !wide.contains(position) {
            for line in text.split(separator: "\n") {
                #expect(TerminalText.columns(String(line)) <= 80, "text \(position): \(line.prefix(200))")
            }
        }
    }

    @Test("a name cannot move the bar of the performance data or open a label")
    func performanceData() {
        var status = Samples.status
        var alert = Samples.alert
        alert.message = "a|b\nc"
        alert.container = "x'=1|y\n"
        status.alerts = [alert]
        let line = CheckResult(status, RenderOptions()).line
        #expect(line.hasPrefix(#"CRITICAL - a/b\x0ac|'image_layers'=233369600B "#))
        #expect(line.filter { $0 == "|" }.count == 1)
        #expect(line.hasSuffix(#" 'growth x''_1_y\x0a'=20971520B;;10000000"#))
        #expect(!line.contains("\n"))
    }

    @Test("figures at the ends of the range are no trap")
    func extremes() {
        for value in [Int64.min, .max] {
            var status = Samples.status
            status.filesystems[0].usedBytes = value
            status.filesystems[0].availableBytes = value
            status.filesystems[0].attributed.imageLayers = value
            status.filesystems[0].attributed.volumes = value
            status.progress = Progress(layersMeasured: .max, layersTotal: Int(clamping: value))
            status.containers[0].diskBytes = value
            status.containers[0].growth = Growth(minute: value, hour: value, day: value)
            #expect(!Render.status(status, RenderOptions()).isEmpty)
            #expect(!Render.diskFree(status, RenderOptions()).isEmpty)
            var since = Samples.since
            since.layersAdded[0].diskBytes = value
            since.layersAdded[1].diskBytes = value
            #expect(!Render.since(since, RenderOptions()).isEmpty)
            var view = LiveView()
            _ = view.apply(FeedEvent(type: .snapshot, id: 1, time: "", status: status))
            _ = view.apply(
                FeedEvent(type: .usage, id: 1, time: "", container: Samples.container(disk: 0 &- value)))
            #expect(view.status?.containers.count == 1)
        }
    }
}
