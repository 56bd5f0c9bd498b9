/// What an image of a ``LargeHost`` is to be made of.
struct ImagePlan: Hashable {
    /// The image whose lower layers it shares, by its place in the list.
    var base: Int?
    var sharedLayers = 0
    var ownLayers: Int
    /// What it is called where nobody tagged it.
    var name: String
    /// Empty for a release that lost its tag.
    var names: [String]

    /// Images that have so many layers together, each layer counted once; each image comes behind its base.
    static func images(layers: Int, using generator: inout SeededGenerator) -> [ImagePlan] {
        var planning = Planning(left: layers)
        let bases = planning.addBases(max(1, layers / 200), using: &generator)
        let runtimes = planning.addRuntimes(layers / 50, on: bases, using: &generator)
        var number = 0
        while planning.left > 0 {
            planning.addApplication(number, on: runtimes.isEmpty ? bases : runtimes, using: &generator)
            number += 1
        }
        return planning.images
    }

    private struct Planning {
        /// Layers that are still to be made.
        var left: Int
        var images: [ImagePlan] = []

        /// The total of an image's layers, its base's among them.
        private func depth(of image: Int) -> Int { images[image].sharedLayers + images[image].ownLayers }

        mutating func addBases(_ count: Int, using generator: inout SeededGenerator) -> Range<Int> {
            let begin = images.count
            for index in 0..<count {
                let name = "distribution-\(index):stable"
                add(ImagePlan(ownLayers: .random(in: 1...2, using: &generator), name: name, names: [name]))
            }
            return begin..<images.count
        }

        mutating func addRuntimes(_ count: Int, on bases: Range<Int>, using generator: inout SeededGenerator)
            -> Range<Int>
        {
            let begin = images.count
            for index in 0..<count {
                guard let base = bases.randomElement(using: &generator) else { break }
                let name = "runtime-\(index):\(index % 7)"
                add(
                    ImagePlan(
                        base: base, sharedLayers: depth(of: base),
                        ownLayers: .random(in: 2...5, using: &generator), name: name, names: [name]))
            }
            return begin..<images.count
        }

        /// Adds an application on one of the bases, with some releases on the layers of what it depends on.
        mutating func addApplication(
            _ number: Int, on bases: Range<Int>, using generator: inout SeededGenerator
        ) {
            guard let base = bases.randomElement(using: &generator) else { return }
            let dependencies = Int.random(in: 1...4, using: &generator)
            let releases = Int.random(in: 1...5, using: &generator)
            var first: Int?
            for release in 0..<releases {
                let repository = "registry.example:5000/team-\(number % 12)/application-\(number)"
                let name = "\(repository):1.\(release)"
                var names = release == releases - 1 ? [name, "\(repository):latest"] : [name]
                if release < releases - 1, Int.random(in: 0..<6, using: &generator) == 0 { names = [] }
                let own = Int.random(in: 1...3, using: &generator)
                let index = images.count
                if let first {
                    let shared = min(depth(of: base) + dependencies, depth(of: first))
                    add(
                        ImagePlan(
                            base: first, sharedLayers: shared, ownLayers: own, name: name, names: names))
                } else {
                    add(
                        ImagePlan(
                            base: base, sharedLayers: depth(of: base), ownLayers: dependencies + own,
                            name: name, names: names))
                }
                guard images.count > index else { return }
                first = first ?? index
            }
        }

        /// Adds an image of as many layers as are left at most.
        private mutating func add(_ image: ImagePlan) {
            guard left > 0 else { return }
            var image = image
            image.ownLayers = min(image.ownLayers, left)
            left -= image.ownLayers
            images.append(image)
        }
    }
}
