/// The Lua scripts that run inside Redis, embedded in the binary. The header of each file is its contract.
package enum Script: String, Sendable, CaseIterable {
    case gate
    case acknowledge
    case install
    case snapshot
    case trim
    case stage
    case group
    case writable
    case inspect
    case tidy
    case extent
    case lost

    /// The script's text, the argument of `SCRIPT LOAD`.
    package var source: [UInt8] {
        switch self {
        case .gate: PackageResources.gate_lua
        case .acknowledge: PackageResources.acknowledge_lua
        case .install: PackageResources.install_lua
        case .snapshot: PackageResources.snapshot_lua
        case .trim: PackageResources.trim_lua
        case .stage: PackageResources.stage_lua
        case .group: PackageResources.group_lua
        case .writable: PackageResources.writable_lua
        case .inspect: PackageResources.inspect_lua
        case .tidy: PackageResources.tidy_lua
        case .extent: PackageResources.extent_lua
        case .lost: PackageResources.lost_lua
        }
    }
}
