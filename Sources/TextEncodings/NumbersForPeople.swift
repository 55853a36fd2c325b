extension Int64 {
    /// The number with commas between thousands: 1,234,567.
    package var grouped: String {
        let digits = String(magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (self < 0 ? "-" : "") + text
    }

    /// The number as a size in bytes: "812 bytes", "4.0 KiB", "1.3 GiB".
    package var asBytes: String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard self >= 1_024 else { return "\(self) bytes" }
        var (tenths, unit) = (self * 10 / 1_024, 0)
        while tenths >= 10_240, unit < units.count - 1 {
            tenths /= 1_024
            unit += 1
        }
        return "\((tenths / 10).grouped).\(tenths % 10) \(units[unit])"
    }
}

extension Int {
    package var grouped: String { Int64(self).grouped }

    /// Formats a count with its noun: "1 order", "2,000 orders".
    package func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }
}
