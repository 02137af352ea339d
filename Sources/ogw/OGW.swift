import Glibc
import Mongo
import ObjectGateway

/// The program: finds the command in the table, parses its arguments, runs it, and turns what it throws into one sentence
/// and an exit status (0 done, 1 failed, 2 wrong usage or a store that first has to be put right).
@main
enum OGW {
    static var commands: [any Command.Type] {
        [
            ServeCommand.self, UserAdd.self, UserList.self, UserDisable.self, UserEnable.self, UserRotate.self,
            BucketMake.self, BucketList.self, BucketAssets.self, BucketRemove.self, PresignCommand.self,
            HooksGet.self, HooksSet.self, HooksRemove.self, HooksValidate.self, HooksDryRun.self, HooksBackfill.self,
            HooksReplay.self, HooksARNs.self, HooksTestTarget.self, TargetsList.self, TargetsSet.self,
            TargetsRemove.self, SourcesList.self, SourcesSet.self, SourcesRemove.self, AddonsList.self, AddonsSet.self,
            AddonsRemove.self, AddonsTest.self, JobsList.self,
            JobsShow.self, JobsCancel.self, JobsRetry.self, JobsDead.self,
            JobsRetryDead.self, WorkerCommand.self, WorkerTokenAdd.self, WorkerTokenList.self,
            WorkerTokenRemove.self, CheckCommand.self, MigrateCommand.self, VersionCommand.self,
        ]
    }

    static func main() {
        MongoLibrary.leaveSharedMemory()
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    private static func run(_ arguments: [String]) -> Int32 {
        guard let first = arguments.first else {
            Terminal.error(overview(of: commands))
            return 2
        }
        if ["--help", "-h", "help"].contains(first) {
            Terminal.print(overview(of: commands))
            return 0
        }
        if first == "--version" { return run(["version"]) }
        let two = arguments.prefix(2).joined(separator: " ")
        for command in commands {
            let name = command.syntax.name
            if name == first { return run(command, Array(arguments.dropFirst())) }
            if name == two { return run(command, Array(arguments.dropFirst(2))) }
        }
        return unknown(first, arguments)
    }

    private static func run(_ command: any Command.Type, _ arguments: [String]) -> Int32 {
        do {
            let parsed = try command.syntax.parse(arguments)
            if parsed.wantsHelp {
                Terminal.print(command.syntax.help)
                return 0
            }
            return try command.run(parsed)
        } catch let error as UsageError {
            Terminal.error("\(error)")
            return 2
        } catch let error as SettingError {
            Terminal.error("ogw \(command.syntax.name): \(error)")
            return 2
        } catch {
            Terminal.error("ogw \(command.syntax.name): \(error)")
            if let error = error as? StartError, error.isFinal { return 2 }
            return 1
        }
    }

    /// `ogw user`, `ogw user --help` and `ogw frobnicate`.
    private static func unknown(_ first: String, _ arguments: [String]) -> Int32 {
        let group = commands.filter { $0.syntax.name.hasPrefix(first + " ") }
        if group.isEmpty {
            Terminal.error("ogw: \"\(first)\" is not a command: wanted one of those that `ogw --help` lists.")
            return 2
        }
        if arguments.dropFirst().contains(where: { $0 == "--help" || $0 == "-h" }) {
            Terminal.print(overview(of: group))
            return 0
        }
        let words = group.map { String($0.syntax.name.dropFirst(first.count + 1)) }.joined(separator: ", ")
        let given = arguments.count > 1 ? "\"\(arguments[1])\" is not a command of `ogw \(first)`" : "a word is missing"
        Terminal.error("ogw \(first): \(given): wanted one of \(words) (see `ogw \(first) --help`).")
        return 2
    }

    private static func overview(of commands: [any Command.Type]) -> String {
        let usages = commands.map { (usage: $0.syntax.usage, summary: $0.syntax.summary) }
        let width = usages.map(\.usage.count).max() ?? 0
        let lines = usages.map { entry in
            "  " + entry.usage + String(repeating: " ", count: width - entry.usage.count + 2) + entry.summary
        }
        return """
            ogw, the ObjectGateway: an S3-compatible object store that processes what it stores.

            \(lines.joined(separator: "\n"))

            `ogw COMMAND --help` tells more, with an example.
            """
    }
}
