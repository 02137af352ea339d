import Buckets
import Bytes
import JSON
import Metadata
import Threads

/// What `ogw check` asks of a store: how the scrub stands, and a full one now.
struct StoreCheck: Sendable {
    let scrubber: Scrubber
    let objects: ObjectStore

    func status() async throws -> JSONValue {
        let report = scrubber.report
        let garbage = try objects.pool.blocking { () throws(MetadataError) in try objects.metadata.garbageCount() }
        return [
            "running": .bool(scrubber.isRunning), "pass": .integer(Int64(clamping: scrubber.passCount)),
            "failure": scrubber.failure.map { .string($0) } ?? .null,
            "started_at": date(report.started), "finished_at": date(report.finished),
            "position": .integer(Int64(clamping: report.position.value)),
            "blobs": .integer(Int64(clamping: report.blobs)), "bytes": .integer(Int64(clamping: report.bytes)),
            "errors": .integer(Int64(clamping: report.errors)), "orphans": .integer(Int64(clamping: report.orphans)),
            "lost": .integer(Int64(clamping: report.lost)), "healed": .integer(Int64(clamping: report.healed)),
            "garbage": .integer(Int64(clamping: garbage)),
            "in_doubt": .integer(Int64(clamping: objects.inDoubtCount)),
            "findings": .array(report.findings.map(describe)),
        ]
    }

    /// Answers with the status of the check that begins.
    func begin(_ body: JSONValue) async throws -> JSONValue {
        scrubber.begin(repairs: body["repair"]?.bool ?? false)
        return try await status()
    }

    private func describe(_ finding: ScrubFinding) -> JSONValue {
        [
            "kind": .string(finding.kind.rawValue), "blob": .integer(Int64(clamping: finding.blob.value)),
            "reason": .string(finding.reason), "found_at": date(finding.moment),
            "quarantined": .bool(finding.isQuarantined),
        ]
    }

    private func date(_ moment: Timestamp?) -> JSONValue {
        moment.map { .string(String(ascii: DateFormats.iso8601($0))) } ?? .null
    }
}

extension ControlRoutes {
    private static let finding = Schema.object([
        .init("kind", .string(choices: ScrubFinding.Kind.allCases.map(\.rawValue))), .init("blob", .integer),
        .init("reason", .string), .init("found_at", .string), .init("quarantined", .boolean),
    ])
    private static let status = Schema.object([
        .init("running", .boolean), .init("pass", .integer), .init("failure", .string, required: false),
        .init("started_at", .string, required: false), .init("finished_at", .string, required: false),
        .init("position", .integer), .init("blobs", .integer), .init("bytes", .integer), .init("errors", .integer),
        .init("orphans", .integer), .init("lost", .integer), .init("healed", .integer), .init("garbage", .integer),
        .init("in_doubt", .integer),
        .init("findings", .array(of: finding)),
    ])

    static func checkRoutes(_ check: StoreCheck) -> [Route] {
        [
            Route(.get, "/check", "How the scrub stands and what it found", access: .owner, response: .json(status)) {
                _ in .json(try await check.status())
            },
            Route(
                .post, "/check", "Check everything now", access: .owner,
                request: .object([.init("repair", .boolean, required: false)]), success: 202, response: .json(status)
            ) { input in .json(try await check.begin(input.body), status: 202) },
        ]
    }
}
