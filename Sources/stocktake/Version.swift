/// The program's version, as `--version` and `doctor` say it.
enum Version {
    static let text = "0.1.0"
}
