import ArgumentParser
import Foundation
import StrictJSON
import Testing

@testable import stocktake

/// A setting has a name in several places; each of them must know every setting.
@Suite struct SettingsOptionsTests {
    @Test("takes every setting from its flag", arguments: SettingName.all.map(\.key))
    func flags(key: String) throws {
        let name = try #require(SettingName.all.first { $0.key == key })
        #expect(try SettingsOptions.parse([name.flag, "1"]).flags == [key: "1"])
    }

    @Test("has a setting for every flag")
    func settings() {
        let flags = SettingsOptions.helpMessage().matches(of: /(?m)^\s+(--[a-z][a-z-]*)/).map { String($0.1) }
        #expect(Set(flags).subtracting(["--config"]) == Set(SettingName.all.map(\.flag)))
    }

    @Test("lists every setting in config/stocktake.json and docs/settings.md")
    func files() throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "config/stocktake.json")))
        guard case .object(let object) = try JSONValue.parse(bytes) else { throw CocoaError(.fileReadCorruptFile) }
        let keys = Set(SettingName.all.map(\.key))
        #expect(Set(object.members.map(\.key)) == keys)
        let page = try String(contentsOfFile: "docs/settings.md", encoding: .utf8)
        for key in keys { #expect(page.contains("`\(key)`"), "\(key)") }
    }
}
