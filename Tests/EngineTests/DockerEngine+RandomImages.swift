import UsageTestKit

extension DockerEngine {
    /// Builds an image for each tag, on `base` or on one of those before; returns all, `base` first.
    func buildAtRandom(
        _ tags: [String], on base: String, _ random: inout SeededGenerator
    ) async throws -> [String] {
        var images = [base]
        for (index, tag) in tags.enumerated() {
            let parent = images.randomElement(using: &random) ?? base
            let size = Int.random(in: 1...900, using: &random)
            try await build(
                tag: tag,
                dockerfile: """
                    FROM \(parent)
                    RUN dd if=/dev/zero of=/f\(index) bs=1000 count=\(size) && mkdir -p /d\(index)/e
                    ENV N=\(index)
                    RUN seq 9000 > /s\(index)
                    """)
            images.append(tag)
        }
        return images
    }
}
