import Ledger

/// Records in the ledger's audit who viewed a customer's data.
///
/// If the ledger cannot be written, the data is shown anyway: the operator may be investigating that failure.
func noteLook(_ action: AuditEntry.Action, at subject: String, _ options: SettingsOptions) async {
    do {
        let settings = try options.resolve()
        let ledger = try await settings.ledger.openAdmin(settings.store)
        defer { try? ledger.close() }
        try await ledger.note(action, of: subject, by: await OperatingSystemUser.name())
    } catch {
        printError("this access could not be recorded in the audit: \(explained(error))")
    }
}
