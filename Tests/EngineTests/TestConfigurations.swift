import Foundation

/// Configurations that the tests on a real engine give to the daemon.
enum TestConfigurations {
    /// Two rules for the container `grower` alone: its layer's growth, and its size.
    static let alerts = """
        alerts:
          - name: fast-growth
            kind: growth
            limit: 4MB
            clear: 1MB
            window: 1m
            severity: critical
            match:
              name: grower
          - name: large-layer
            kind: size
            limit: 6MB
            clear: 2MB
            match:
              name: grower

        """

    /// Each of them is wrong in one place, which the message must name.
    static let wrong: [(what: String, text: String, names: String)] = [
        ("a key that does not exist", "no_such_key: 1\n", "no_such_key"),
        ("a number where a list belongs", "alerts: 5\n", "alerts"),
        (
            "a unit that does not exist",
            alerts.replacingOccurrences(of: "limit: 4MB", with: "limit: 4parsecs"), "4parsecs"
        ),
        (
            "a rule of an unknown kind", alerts.replacingOccurrences(of: "kind: growth", with: "kind: mood"),
            "mood"
        ),
        (
            "two rules of one name",
            alerts.replacingOccurrences(of: "large-layer", with: "fast-growth"), "fast-growth"
        ),
        ("a relative path", "stores:\n  - docker=some/where\n", "some/where"),
        ("no YAML", "alerts: [\n  - {", "usaged.yaml"),
    ]
}
