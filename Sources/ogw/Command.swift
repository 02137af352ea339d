import ObjectGateway

/// One command of the program.
protocol Command {
    static var syntax: CommandSyntax { get }
    /// Runs on the main thread; returns the exit status.
    static func run(_ arguments: ParsedArguments) throws -> Int32
}

extension Command {
    /// Wrong usage of this command, said after its name: `--policy is "boss": wanted ...`.
    static func usage(_ what: String) -> UsageError { UsageError(command: syntax.name, what: what) }
}
