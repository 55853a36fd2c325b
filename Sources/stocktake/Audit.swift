import Ledger

/// Keeps in the ledger who has looked at a customer's data. Where the ledger cannot be written, it is shown all the same:
/// somebody may be looking for the reason.
func noteLook(_ action: AuditEntry.Action, at subject: String, _ options: SettingsOptions) async {
    do {
        let settings = try options.resolve()
        let ledger = try await settings.ledger.openAdmin(settings.store)
        defer { try? ledger.close() }
        try await ledger.note(action, of: subject, by: await OperatingSystemUser.name())
    } catch {
        printError("that this was looked at could not be noted in the audit: \(explained(error))")
    }
}
