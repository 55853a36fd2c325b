/// Writes the text format of Prometheus, version 0.0.4: valid names, escaped text and formatted numbers.
///
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
struct ExpositionText {
    private(set) var bytes: [UInt8] = []

    /// Appends the lines that precede the samples of a metric.
    mutating func head(_ name: String, type: String, help: String?) {
        if let help { line("# HELP \(name) \(Self.escaped(help, quotes: false))") }
        line("# TYPE \(name) \(type)")
    }

    mutating func sample(_ name: String, _ labels: String, _ value: String) {
        line(labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels)} \(value)")
    }

    /// Appends a line that Prometheus ignores. The text must not begin with HELP or TYPE.
    mutating func comment(_ text: String) {
        line("# " + Self.escaped(text, quotes: false))
    }

    private mutating func line(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Returns a valid name, `[a-zA-Z_:][a-zA-Z0-9_:]*`. Every other character becomes an underscore.
    static func metricName(_ label: String) -> String { name(label, alsoAllowed: ":") }

    /// Returns the labels, sorted by name, without braces.
    ///
    /// A name may appear only once: of several values, the first is used. Histograms write `le` themselves, and names
    /// that begin with two underscores are reserved for Prometheus: both get the prefix `exported`, as in Prometheus.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var labels: [String: String] = [:]
        for (key, value) in dimensions {
            var key = name(key, alsoAllowed: nil)
            if key == "le" { key = "exported_le" } else if key.hasPrefix("__") { key = "exported" + key }
            if labels[key] == nil { labels[key] = value }
        }
        return labels.sorted { $0.key < $1.key }.map { #"\#($0.key)="\#(escaped($0.value, quotes: true))""# }
            .joined(separator: ",")
    }

    private static func name(_ text: String, alsoAllowed: Unicode.Scalar?) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isDigit = "0"..."9" ~= scalar
            let isLetter = "a"..."z" ~= scalar || "A"..."Z" ~= scalar || scalar == "_" || scalar == alsoAllowed
            if isDigit, name.isEmpty { name = "_" }
            name.unicodeScalars.append(isDigit || isLetter ? scalar : "_")
        }
        return name.isEmpty ? "_" : name
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += #"\\"#
            case "\n": escaped += #"\n"#
            case "\"" where quotes: escaped += #"\""#
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Returns the shortest text without loss of precision; whole numbers have no fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), abs(value) < 0x1p53 { return "\(whole)" }
        return "\(value)"
    }
}
