import Bytes
import Glibc
import JSON
import Metadata
import ObjectGateway
import Threads

/// `ogw migrate`.
enum MigrateCommand: Command {
    static let syntax = CommandSyntax(
        "migrate", "Move the metadata of a stopped store from its data folder into MongoDB, or back.",
        options: [
            .init(
                "--from", "sqlite|mongodb://...",
                "Where the metadata is. It stays there, whole, until the other one holds the same."),
            .init(
                "--to", "mongodb://...|sqlite",
                "Where it goes: an empty database of a replica set, or the log of OGW_DATA. What was cut short goes on."
            ),
        ] + Control.options,
        settings: ["OGW_DATA", "OGW_BLOBS", "OGW_BLOBS_ACCESS_KEY", "OGW_BLOBS_SECRET_KEY"].compactMap(Setting.named),
        example: """
            OGW_DATA=./data ogw migrate --from sqlite --to mongodb://127.0.0.1:27017/ogw
            OGW_DATA=./data ogw migrate --from mongodb://127.0.0.1:27017/ogw --to sqlite
            """)

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let direction = try wanted(arguments)
        let configuration = try Environment.configuration(arguments)
        let pool = try Pool.start(threads: 2)
        let line = isatty(STDERR_FILENO) == 1 ? ProgressLine() : nil
        let outcome: StoreMigration.Outcome
        do {
            outcome = try waitFor(on: pool) { () async throws(MigrationError) in
                try await StoreMigration(direction, configuration, pool: pool).run { line?.show($0) }
            }
        } catch MigrationError.refused(let reason) {
            line?.end()
            Terminal.error("ogw migrate: \(reason).")
            return 2
        } catch let error as MigrationError {
            line?.end()
            throw StartError("\(error).")
        }
        line?.end()
        Control.show(answer(outcome), arguments) { _ in text(outcome, direction) }
        return 0
    }

    private static func wanted(_ arguments: ParsedArguments) throws -> StoreMigration.Direction {
        let from = try place("--from", arguments)
        let to = try place("--to", arguments)
        switch (from, to) {
        case (.sqlite, .mongoDB(let uri)): return .toMongoDB(uri)
        case (.mongoDB(let uri), .sqlite): return .toSQLite(from: uri)
        default:
            throw usage(
                "--from and --to are of one kind: wanted sqlite for one of them and mongodb://... for the other")
        }
    }

    /// An address may hold a password, so that it is never repeated.
    private static func place(
        _ flag: String, _ arguments: ParsedArguments
    ) throws -> GatewayConfiguration.MetadataChoice {
        guard let value = arguments.values[flag] else {
            throw usage("\(flag) is missing: wanted sqlite or mongodb://...")
        }
        if value == "sqlite" { return .sqlite }
        if value.hasPrefix("mongodb://") || value.hasPrefix("mongodb+srv://") { return .mongoDB(value) }
        let given = value.contains("@") || value.contains("://") ? "cannot be used" : "is \"\(value)\""
        throw usage("\(flag) \(given): wanted sqlite or mongodb://...")
    }

    private static func answer(_ outcome: StoreMigration.Outcome) -> JSONValue {
        guard let report = outcome.report else { return ["versions": .null] }
        let digest = report.digest
        func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
        return [
            "versions": number(digest.versions), "assets": number(digest.assets), "users": number(digest.users),
            "uploads": number(digest.uploads), "garbage": number(digest.garbage),
            "blobs_placed": number(report.blobsPlaced), "continued": .bool(report.isContinued),
            "former": outcome.former.map { .string($0) } ?? .null,
            "buckets": .array(
                digest.buckets.map { bucket in
                    [
                        "name": .string("\(bucket.name)"), "versions": number(bucket.versions),
                        "assets": number(bucket.assets), "bytes": number(bucket.bytes),
                        "checksum": .string(Hex.string(bucket.sum)),
                    ]
                }),
        ]
    }

    private static func text(_ outcome: StoreMigration.Outcome, _ direction: StoreMigration.Direction) -> String {
        var lines: [String] = []
        if let report = outcome.report {
            let digest = report.digest
            let rows = digest.buckets.map { bucket in
                [
                    "\(bucket.name)", "\(bucket.versions)", "\(bucket.assets)", "\(bucket.bytes)",
                    String(Hex.string(bucket.sum).prefix(16)),
                ]
            }
            lines.append(Terminal.table(["BUCKET", "VERSIONS", "ASSETS", "BYTES", "CHECKSUM"], rows))
            lines.append(
                """
                Both stores hold the same: \(digest.versions) versions in \(digest.buckets.count) buckets, \(digest.users) users, \
                \(digest.uploads) uploads in progress, \(digest.garbage) blobs of garbage.
                """)
            if report.blobsPlaced > 0 { lines.append("\(report.blobsPlaced) small objects left the log.") }
        } else {
            lines.append("A former attempt had compared both stores; its result is in use now.")
        }
        switch direction {
        case .toMongoDB:
            lines.append("The metadata is in MongoDB from now on: start the gateway with OGW_METADATA=mongodb://...")
            if let former = outcome.former { lines.append("The former log and database are kept in \(former).") }
        case .toSQLite:
            lines.append("The metadata is in the data folder from now on: start the gateway with OGW_METADATA=sqlite.")
            lines.append("The database of MongoDB is as it was; no gateway opens it any more.")
        }
        return lines.joined(separator: "\n")
    }
}

/// One line that says how far a migration is, at most ten times a second.
private final class ProgressLine: Sendable {
    private let shown = Lock<ContinuousClock.Instant?>(nil)
    private static let width: UInt64 = 30

    func show(_ progress: MigrationProgress) {
        let isDue = shown.withLock { shown in
            if let last = shown, last.duration(to: .now) < .milliseconds(100) { return false }
            shown = .now
            return true
        }
        if isDue { Terminal.progress(Self.text(progress)) }
    }

    func end() { Terminal.progress("") }

    private static func text(_ progress: MigrationProgress) -> String {
        let doing =
            switch progress.step {
            case .reading: "reading"
            case .copying: "copying"
            case .verifying: "verifying"
            }
        guard let total = progress.versionsTotal, total > 0 else { return "\(doing): \(progress.versions) versions" }
        let done = min(progress.versions, total)
        let filled = Int(clamping: done.multipliedReportingOverflow(by: width).partialValue / total)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Int(width) - filled)
        return "\(doing): [\(bar)] \(done) of \(total) versions"
    }
}
