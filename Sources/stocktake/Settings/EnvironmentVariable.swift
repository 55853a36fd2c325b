import Foundation
import Domain
import Files
import Spelling

/// The environment variables that begin with `STOCKTAKE_`.
enum EnvironmentVariable {
    static let config = "STOCKTAKE_CONFIG"

    private static let prefix = "STOCKTAKE_"
    /// Variables that are not settings: those of debug builds, tests and scripts.
    private static let others = ["STOCKTAKE_FAILPOINT", "STOCKTAKE_REAL_ORDERS"]
    private static let testPrefix = "STOCKTAKE_TEST_"

    /// The value; nil if the variable is unset or empty, which is how compose files pass a variable without a value.
    static func value(of name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return FilePath.text(value)
    }

    /// Warns of every variable that has the prefix of this program but no effect.
    static func warnOfUnknown() {
        let settings = SettingName.all.map(\.variable) + [config]
        let known = Set(settings + others)
        let names = ProcessInfo.processInfo.environment.keys.filter { $0.hasPrefix(prefix) }.sorted()
        for name in names where !known.contains(name) && !name.hasPrefix(testPrefix) {
            guard let value = value(of: name), !isOfKubernetes(name, value) else { continue }
            let suggestion = SpellingSuggestion.closest(to: name, among: settings).map { " Did you mean \($0)?" } ?? ""
            printError("warning: \(name) is not a setting and has no effect.\(suggestion)")
        }
    }

    /// Whether Kubernetes has set the variable: it passes the addresses of a service "stocktake" under these names.
    private static func isOfKubernetes(_ name: String, _ value: String) -> Bool {
        let rest = name.dropFirst(prefix.count)
        return rest == "SERVICE_HOST" || rest.hasPrefix("SERVICE_PORT") || rest.hasPrefix("PORT_")
            || rest == "PORT" && value.contains("://")
    }
}
