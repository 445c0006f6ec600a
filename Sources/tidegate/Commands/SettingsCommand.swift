import ArgumentParser

/// `tidegate settings`
struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Lists every key of the configuration with its default and its variable.")

    func run() {
        for setting in Setting.all {
            print(
                "\(setting.key)  [\(setting.defaultText.isEmpty ? "none" : setting.defaultText)]  \(setting.variable)")
            print("    \(setting.sentence)")
        }
    }
}
