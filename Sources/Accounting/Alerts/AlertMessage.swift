/// Words an alert for people, in one line without control characters.
enum AlertMessage {
    /// Why an alert ended, other than that the figure fell.
    enum Ending: Hashable, Sendable {
        case containerRemoved
        case storeNotFollowed
        case ruleRemoved
        case ruleChanged
        case noLongerMatched
    }

    static func firing(_ record: AlertRecord) -> String {
        "\(subject(record)): \(figure(record)), limit \(bytes(record.limitBytes))"
    }

    static func resolved(_ record: AlertRecord, clearBytes: Int64) -> String {
        "\(subject(record)): \(figure(record)), below \(bytes(clearBytes)) again"
    }

    static func ended(_ record: AlertRecord, _ ending: Ending) -> String {
        let rule = "rule \(printable(record.rule))"
        let why =
            switch ending {
            case .containerRemoved: "container removed"
            case .storeNotFollowed: "its store is no longer followed"
            case .ruleRemoved: "\(rule) is no longer in force"
            case .ruleChanged: "\(rule) was changed"
            case .noLongerMatched: "\(rule) no longer matches it"
            }
        return "\(subject(record)): \(why); last known: \(figure(record))"
    }

    private static func subject(_ record: AlertRecord) -> String {
        let name = record.container.isEmpty ? String(record.containerID.prefix(12)) : record.container
        return record.image.isEmpty
            ? printable(name) : "\(printable(name)) (image \(printable(record.image)))"
    }

    private static func figure(_ record: AlertRecord) -> String {
        guard let window = record.windowSeconds else {
            return "writable layer takes \(bytes(record.valueBytes))"
        }
        let verb = record.valueBytes < 0 ? "shrank" : "grew"
        return "writable layer \(verb) \(bytes(record.valueBytes)) in \(duration(seconds: window))"
    }

    /// A magnitude: the verb tells the direction.
    private static func bytes(_ count: Int64) -> String {
        SizeText.decimal(count == .min ? .max : abs(count))
    }

    /// A window in the largest unit that leaves no rest, but up to two minutes in seconds.
    static func duration(seconds: Int) -> String {
        switch seconds {
        case ...120: "\(seconds) s"
        case _ where seconds % 86_400 == 0 && seconds > 86_400: "\(seconds / 86_400) d"
        case _ where seconds % 3600 == 0: "\(seconds / 3600) h"
        case _ where seconds % 60 == 0: "\(seconds / 60) min"
        default: "\(seconds) s"
        }
    }

    /// The text with control and format characters escaped, cut where it is long; containers choose names.
    static func printable(_ text: String) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < 128 else { return result + "..." }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            default:
                if scalar == "\\" { result += "\\\\" } else { result.unicodeScalars.append(scalar) }
            }
        }
        return result
    }
}
