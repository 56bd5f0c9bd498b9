import FoundationEssentials

/// The JSON that the engine writes, as far as anyone reads it.
enum DockerJSON {
    struct Config: Encodable {
        struct History: Encodable {
            var created: String?
            var created_by: String
            var comment: String?
            var empty_layer: Bool?
        }

        struct RootFS: Encodable {
            var type = "layers"
            var diff_ids: [String]
        }

        var architecture = "amd64"
        var os = "linux"
        var created: String?
        var history: [History]
        var rootfs: RootFS
    }

    struct Volume: Encodable {
        var Name: String
        var Driver: String
        var Labels: [String: String]
        var Options: [String: String]
    }

    struct VolumeOptions: Encodable {
        struct Quota: Encodable {
            var Size = 0
        }

        var MountType: String
        var MountOpts = ""
        var MountDevice: String
        var Quota = VolumeOptions.Quota()
    }

    struct Repositories: Encodable {
        var Repositories: [String: [String: String]]
    }

    struct Container: Encodable {
        struct Config: Encodable {
            var Hostname: String
            var Image: String
            var Labels: [String: String]
        }

        struct State: Encodable {
            var Running: Bool
            var Paused = false
            var Dead = false
        }

        struct MountPoint: Encodable {
            var `Type`: String
            var Name: String
            var Source: String
            var Destination: String
            var Driver: String
            var RW = true
        }

        var ID: String
        var Name: String
        var Image: String
        var Driver = "overlay2"
        var Created: String?
        var Path = "/bin/sh"
        var LogPath: String
        var Config: Config
        var State: State
        var MountPoints: [String: MountPoint]
    }

    struct ClassicImage: Encodable {
        struct Config: Encodable {
            var Cmd: [String]
        }

        var id: String
        var parent: String?
        var comment: String?
        var created: String
        var container_config: Config
        var docker_version = "1.5.0"
        var architecture = "amd64"
        var os = "linux"
    }

    struct ClassicContainer: Encodable {
        var ID: String
        var Name: String
        var Image: String
        var Driver: String
        var Created: String
        var Config: Container.Config
        var State: Container.State
        var Volumes: [String: String]
    }

    struct ClassicVolume: Encodable {
        var ID: String
        var Path: String
        var IsBindMount: Bool
        var Writable: Bool
    }

    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("strings and truth values always encode")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
