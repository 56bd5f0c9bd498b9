internal import Settings

/// Durations as the configuration writes them: `90s`, `10m`, `1h30m`, `2d`.
enum DurationText {
    /// The duration in seconds, at least one; `nil` where the text is none.
    static func seconds(_ text: String) -> Double? {
        guard let milliseconds = try? SettingsText.milliseconds(text), milliseconds >= 1000 else {
            return nil
        }
        return Double(milliseconds) / 1000
    }
}
