import ObjectGateway

/// `ogw version`.
enum VersionCommand: Command {
    static let syntax = CommandSyntax("version", "Print the version.", example: "ogw version")

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        Terminal.print("ogw \(ogwVersion)")
        return 0
    }
}
