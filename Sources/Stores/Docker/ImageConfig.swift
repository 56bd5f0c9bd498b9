import Accounting

/// An image's configuration, as the image specification of OCI and Docker has it.
struct ImageConfig: Decodable, Sendable {
    struct Step: Decodable, Sendable {
        var instruction: String
        var created: String?
        var comment: String?
        var isEmpty: Bool

        private enum CodingKeys: String, CodingKey {
            case created, comment
            case instruction = "created_by"
            case isEmpty = "empty_layer"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            instruction = values.lossy(String.self, .instruction) ?? ""
            created = values.lossy(String.self, .created)
            comment = values.lossy(String.self, .comment).flatMap { $0.isEmpty ? nil : $0 }
            isEmpty = values.lossy(Bool.self, .isEmpty) ?? false
        }
    }

    /// As they stand in the file, the lowest first; `nil` where the file names no root file system.
    var diffIDs: [String]?
    var steps: [Step]
    var created: String?
    var architecture: String?
    var os: String?

    private enum CodingKeys: String, CodingKey {
        case rootfs, history, created, architecture, os
    }

    private struct RootFS: Decodable {
        var diffIDs: [String]

        private enum CodingKeys: String, CodingKey {
            case diffIDs = "diff_ids"
        }

        init(from decoder: any Decoder) throws {
            // An image of no layers leaves the list out.
            let values = try decoder.container(keyedBy: CodingKeys.self)
            diffIDs = try values.decodeIfPresent([String].self, forKey: .diffIDs) ?? []
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        diffIDs = values.lossy(RootFS.self, .rootfs)?.diffIDs
        steps = (values.lossy([Lossy<Step>].self, .history) ?? []).compactMap(\.value)
        created = values.lossy(String.self, .created)
        architecture = values.lossy(String.self, .architecture)
        os = values.lossy(String.self, .os)
    }

    /// The steps with the layers they made.
    ///
    /// `isConsistent` is false where the steps that wrote something are not as many as the layers; no step has
    /// a layer then, for which is whose cannot be known.
    func history(over layers: [String]) -> (steps: [HistoryStep], isConsistent: Bool) {
        let isConsistent = steps.isEmpty || steps.count { !$0.isEmpty } == diffIDs?.count
        var next = layers[...]
        let history = steps.map { step in
            HistoryStep(
                instruction: step.instruction, created: step.created, comment: step.comment,
                layer: step.isEmpty || !isConsistent ? nil : next.popFirst())
        }
        return (history, isConsistent)
    }
}
