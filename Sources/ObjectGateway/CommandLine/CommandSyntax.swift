/// What one command of `ogw` takes: the table that parsing and `--help` are both made from.
public struct CommandSyntax: Sendable {
    public struct Option: Sendable {
        /// `--expires`.
        public let flag: String
        /// What stands for the value in the help; nil for a switch.
        public let placeholder: String?
        public let summary: String

        public init(_ flag: String, _ placeholder: String? = nil, _ summary: String) {
            self.flag = flag
            self.placeholder = placeholder
            self.summary = summary
        }
    }

    /// One or two words: `serve`, `user add`.
    public let name: String
    public let summary: String
    /// The names of the operands, all required: `NAME`.
    public let operands: [String]
    public let options: [Option]
    /// Settings that are flags of this command too.
    public let settings: [Setting]
    /// Lines that can be pasted.
    public let example: String

    public init(
        _ name: String, _ summary: String, operands: [String] = [], options: [Option] = [], settings: [Setting] = [],
        example: String
    ) {
        self.name = name
        self.summary = summary
        self.operands = operands
        self.options = options
        self.settings = settings
        self.example = example
    }

    /// Reads what follows the command's name. `--flag value` and `--flag=value` are the same; `--` ends the flags.
    /// `--help` and `-h` anywhere before it win over every error.
    public func parse(_ arguments: [String]) throws(UsageError) -> ParsedArguments {
        var parsed = ParsedArguments()
        let flagArguments = arguments.prefix { $0 != "--" }
        if flagArguments.contains("--help") || flagArguments.contains("-h") {
            parsed.wantsHelp = true
            return parsed
        }
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                parsed.operands += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                parsed.operands.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let flag = parts[0]
            guard let takesValue = takesValue(flag) else {
                throw error("\(flag) is not a flag of this command: wanted one of those that --help lists")
            }
            guard parsed.values[flag] == nil, !parsed.switches.contains(flag) else {
                throw error("\(flag) is given twice: wanted it once")
            }
            if !takesValue {
                guard parts.count == 1 else { throw error("\(flag) is \"\(parts[1])\": wanted no value") }
                parsed.switches.insert(flag)
            } else if parts.count == 2 {
                parsed.values[flag] = parts[1]
            } else {
                guard let value = rest.popFirst() else {
                    throw error("\(flag) has no value: wanted \(placeholder(flag))")
                }
                parsed.values[flag] = value
            }
        }
        if parsed.operands.count < operands.count {
            throw error("\(operands[parsed.operands.count]) is missing: wanted `\(usage)`")
        }
        if parsed.operands.count > operands.count {
            throw error("\"\(parsed.operands[operands.count])\" is one argument too many: wanted `\(usage)`")
        }
        return parsed
    }

    /// `ogw user add NAME [flags]`.
    public var usage: String {
        (["ogw", name] + operands + (options.isEmpty && settings.isEmpty ? [] : ["[flags]"])).joined(separator: " ")
    }

    public var help: String {
        var text = "\(summary)\n\nUsage: \(usage)\n"
        if !options.isEmpty {
            text += "\nFlags:\n"
            for option in options {
                text += Self.entry(
                    [option.flag, option.placeholder].compactMap(\.self).joined(separator: " "), option.summary)
            }
        }
        if !settings.isEmpty {
            text +=
                "\nSettings, each a flag, an environment variable, or a line of --env-file (flag first, then these):\n"
            for setting in settings {
                let fallback = setting.defaultText.isEmpty ? "" : " Default \(setting.defaultText)."
                text += Self.entry(
                    "\(setting.flag) \(setting.placeholder)", "\(setting.name). \(setting.summary)\(fallback)")
            }
        }
        let lines = example.split(separator: "\n", omittingEmptySubsequences: false)
        return text + "\nExample:\n" + lines.map { "  \($0)\n" }.joined()
    }

    func error(_ what: String) -> UsageError { UsageError(command: name, what: what) }

    /// Nil where the command has no such flag.
    private func takesValue(_ flag: String) -> Bool? {
        if let option = options.first(where: { $0.flag == flag }) { return option.placeholder != nil }
        return settings.contains { $0.flag == flag } ? true : nil
    }

    private func placeholder(_ flag: String) -> String {
        options.first { $0.flag == flag }?.placeholder ?? settings.first { $0.flag == flag }?.placeholder ?? "a value"
    }

    /// The flag, and the text on a line of its own, broken at 96 columns.
    private static func entry(_ head: String, _ summary: String) -> String {
        var out = "  \(head)\n"
        var line = ""
        for word in summary.split(separator: " ") {
            if line.count + word.count > 88 {
                out += "        \(line)\n"
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return out + "        \(line)\n"
    }
}

/// What a person wrote on the command line.
public struct ParsedArguments: Sendable {
    public var operands: [String] = []
    /// By flag: `--expires`.
    public var values: [String: String] = [:]
    public var switches: Set<String> = []
    public var wantsHelp = false
}

/// Wrong usage, in one sentence that names what was given and what was wanted.
public struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
    public let command: String
    public let what: String

    public init(command: String, what: String) {
        self.command = command
        self.what = what
    }

    public var description: String { "ogw \(command): \(what) (see `ogw \(command) --help`)." }
}
