public import Kernel

/// The store of the post that explains image layers by measuring a disk: a base, and a web server built on it.
public enum LayersPost {
    public static let baseName = "ubuntu:14.04"
    /// The base's virtual size, bytes.
    public static let baseBytes = 188_304_295
    public static let webName = "zigiweb:latest"
    /// The web server's virtual size, bytes.
    public static let webBytes = 227_877_825
    /// What the one appended line cost: the whole file was copied up.
    public static let appendedBytes = 1615
    /// The first digits of the id of the image that the line made.
    public static let appendedID = "8aaf98371fcb"

    static var baseSteps: [BuildStep] {
        let policy = 194_533
        let sources = 1_895
        return [
            BuildStep(
                "/bin/sh -c #(nop) ADD file:0a5fd3a659be172e86491f2b94fe4fcc48be603847554a6a8d54bbc87854affb in /",
                content: .spread(
                    bytes: baseBytes - policy - sources, over: 420, in: rootDirectories, seed: 1404)),
            BuildStep(
                "/bin/sh -c echo '#!/bin/sh' > /usr/sbin/policy-rc.d && echo 'exit 101' >> /usr/sbin/policy-rc.d "
                    + "&& chmod +x /usr/sbin/policy-rc.d && dpkg-divert --local --rename --add /sbin/initctl",
                content: .spread(
                    bytes: policy, over: 12, in: ["usr/sbin", "sbin", "etc/apt/apt.conf.d", "var/lib/dpkg"],
                    seed: 2)),
            BuildStep(
                #"/bin/sh -c sed -i 's/^#\s*\(deb.*universe\)$/\1/g' /etc/apt/sources.list"#,
                content: LayerContent(files: [LayerContent.File("etc/apt/sources.list", size: sources)])),
            BuildStep("/bin/sh -c #(nop) CMD [/bin/bash]"),
        ]
    }

    static var webSteps: [BuildStep] {
        let lists = 21_348_210
        let package = webBytes - baseBytes - lists - appendedBytes
        return [
            BuildStep(
                "/bin/sh -c apt-get update",
                content: .spread(
                    bytes: lists, over: 40, in: ["var/lib/apt/lists", "var/cache/apt"], seed: 3)),
            BuildStep(
                "/bin/sh -c apt-get install -y nginx",
                content: .spread(
                    bytes: package, over: 120,
                    in: [
                        "usr/sbin", "usr/lib/x86_64-linux-gnu", "usr/share/nginx/html", "etc/nginx",
                        "etc/nginx/sites-available", "var/lib/dpkg/info", "var/cache/apt/archives",
                        "usr/share/doc/nginx",
                    ], seed: 4)),
            BuildStep(
                #"/bin/sh -c echo "\ndaemon off;" >> /etc/nginx/nginx.conf"#,
                content: LayerContent(files: [LayerContent.File("etc/nginx/nginx.conf", size: appendedBytes)]
                ),
                idPrefix: appendedID),
            // A directory that changes its owner is copied up: a layer of no bytes.
            BuildStep(
                "/bin/sh -c chown -R www-data:www-data /var/lib/nginx",
                content: LayerContent(directories: ["var/lib/nginx/body", "var/lib/nginx/proxy"])),
            BuildStep(
                "/bin/sh -c #(nop) VOLUME [/etc/nginx/sites-enabled /etc/nginx/certs /etc/nginx/conf.d /var/log/nginx]"
            ),
            BuildStep("/bin/sh -c #(nop) WORKDIR /etc/nginx", idPrefix: "0a5a"),
            BuildStep("/bin/sh -c #(nop) CMD [nginx]", idPrefix: "d374"),
            BuildStep("/bin/sh -c #(nop) EXPOSE 443/tcp 80/tcp", idPrefix: "5242"),
        ]
    }

    private static let rootDirectories = [
        "bin", "boot", "etc", "etc/apt", "etc/default", "etc/init.d", "lib",
        "lib/x86_64-linux-gnu", "lib/udev/rules.d", "opt", "root", "sbin", "srv", "usr/bin", "usr/lib",
        "usr/lib/python3/dist-packages", "usr/lib/x86_64-linux-gnu/perl", "usr/sbin", "usr/share/doc",
        "usr/share/i18n/charmaps", "usr/share/locale/de/LC_MESSAGES", "usr/share/perl/5.18.2/unicore",
        "usr/share/zoneinfo/Europe", "var/cache/debconf", "var/lib/dpkg/info", "var/log",
    ]
}

extension DockerStoreBuilder {
    /// Makes the post's store in `root`; about 228 MB are written.
    public static func layersPost(root: String) throws(KernelError) -> DockerStoreBuilder {
        var store = try DockerStoreBuilder(root: root, seed: 2015)
        let base = try store.build(LayersPost.baseSteps, names: [LayersPost.baseName])
        try store.build(LayersPost.webSteps, on: base.last, names: [LayersPost.webName])
        return store
    }
}
