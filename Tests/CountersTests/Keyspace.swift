import RedisClient
import TestSupport

/// Everything that a server holds: a call changed exactly the difference between two of these.
typealias Keyspace = [String: Content]

enum Content: Equatable, Sendable {
    case text(String)
    case hash([String: String])
    case stream([StreamedEntry], groups: [String: GroupState] = [:])
}

struct StreamedEntry: Equatable, Sendable {
    var id: String
    /// Names and values, alternating.
    var fields: [String]
}

struct GroupState: Equatable, Sendable {
    var lastDelivered: String
    var pending: [String]
}

extension TestRedisServer {
    func keyspace() async throws -> Keyspace {
        var keyspace: Keyspace = [:]
        for key in try await texts("KEYS", "*") { keyspace[key] = try await content(of: key) }
        return keyspace
    }

    private func content(of key: String) async throws -> Content {
        switch try await command("TYPE", key).string {
        case "string": return .text(try await command("GET", key).string ?? "")
        case "hash": return .hash(Self.pairs(try await texts("HGETALL", key)))
        case "stream": return .stream(try await entries(of: key), groups: try await groups(of: key))
        case let type: throw TestSupportError("\(key) is a \(type ?? "mystery")")
        }
    }

    func entries(of stream: String) async throws -> [StreamedEntry] {
        try await command("XRANGE", stream, "-", "+").array?.map { entry in
            let parts = entry.array ?? []
            return StreamedEntry(
                id: parts.first?.string ?? "", fields: (parts.last?.array ?? []).compactMap(\.string))
        } ?? []
    }

    private func groups(of stream: String) async throws -> [String: GroupState] {
        var groups: [String: GroupState] = [:]
        for group in try await command("XINFO", "GROUPS", stream).array ?? [] {
            let values = Self.pairs((group.array ?? []).map { $0.string ?? "" })
            let name = values["name"] ?? ""
            let pending = try await command("XPENDING", stream, name, "-", "+", "1000").array ?? []
            groups[name] = GroupState(
                lastDelivered: values["last-delivered-id"] ?? "",
                pending: pending.compactMap { $0.array?.first?.string })
        }
        return groups
    }

    private func texts(_ name: String, _ argument: String) async throws -> [String] {
        (try await command(name, argument).array ?? []).compactMap(\.string)
    }

    private static func pairs(_ texts: [String]) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: stride(from: 0, to: texts.count - 1, by: 2).map { (texts[$0], texts[$0 + 1]) })
    }
}
