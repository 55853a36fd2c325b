import Foundation
import Domain
import Files
import Spelling

/// The environment variables that begin with `STOCKTAKE_`.
enum EnvironmentVariable {
    static let config = "STOCKTAKE_CONFIG"

    private static let prefix = "STOCKTAKE_"
    /// Those that are no settings: of debug builds, of the tests and the scripts.
    private static let others = ["STOCKTAKE_FAILPOINT", "STOCKTAKE_REAL_ORDERS"]
    private static let testPrefix = "STOCKTAKE_TEST_"

    /// Nil where it is not set, or empty, as compose files pass what has no value.
    static func value(of name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return FilePath.text(value)
    }

    /// Names every variable that is meant for this program, as its name says, and has no effect.
    static func warnOfUnknown() {
        let settings = SettingName.all.map(\.variable) + [config]
        let known = Set(settings + others)
        let names = ProcessInfo.processInfo.environment.keys.filter { $0.hasPrefix(prefix) }.sorted()
        for name in names where !known.contains(name) && !name.hasPrefix(testPrefix) {
            guard let value = value(of: name), !isOfKubernetes(name, value) else { continue }
            let suggestion = SpellingSuggestion.closest(to: name, among: settings).map { " Did you mean \($0)?" } ?? ""
            printError("warning: \(name) is no setting and has no effect.\(suggestion)")
        }
    }

    /// Kubernetes gives every container the addresses of services by such names, of a service "stocktake", too.
    private static func isOfKubernetes(_ name: String, _ value: String) -> Bool {
        let rest = name.dropFirst(prefix.count)
        return rest == "SERVICE_HOST" || rest.hasPrefix("SERVICE_PORT") || rest.hasPrefix("PORT_")
            || rest == "PORT" && value.contains("://")
    }
}
