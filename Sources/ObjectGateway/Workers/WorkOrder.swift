import Bytes
import Hooks
import JSON
import Metadata

/// What a worker is told of a job: where to read, what to do, how long it may take.
struct WorkOrder: Sendable {
    /// A file that the step works on.
    struct Input: Sendable {
        var name: [UInt8]
        var bucket: BucketID
        var version: ObjectVersion
    }

    /// Why a job cannot be begun.
    enum Fault: Error {
        /// The object is gone.
        case gone
        case impossible(String)
        /// Another time perhaps.
        case notNow(String)
    }

    let work: JobWork
    let inputs: [Input]
    /// Of a watermark whose logo is an object.
    let logo: Input?
    /// Where variants are cropped around, if the object has one.
    let focus: FocalPoint?

    /// Looks up what the job reads.
    init(_ work: JobWork, metadata: any MetadataStore) async throws {
        self.work = work
        inputs = try await Self.inputs(of: work, metadata)
        focus = try await Self.focus(of: work, metadata)
        guard case .watermark(let options) = work.step.action, case .logo(.object(let name, let key)) = options.mark
        else {
            logo = nil
            return
        }
        guard let bucket = try await metadata.bucket(named: name),
            let version = try await metadata.version(of: key, in: bucket.id, version: nil), !version.isDeleteMarker
        else { throw Fault.notNow("there is no logo s3://\(name)/\(key.text)") }
        logo = Input(name: key.utf8, bucket: bucket.id, version: version)
    }

    /// The files of the step that it runs after, or of the nearest one before that made any; else the object.
    private static func inputs(of work: JobWork, _ metadata: any MetadataStore) async throws -> [Input] {
        let group = work.leased.group
        var place = group.steps[work.leased.job.step].after
        for _ in group.steps.indices {
            guard let former = place, group.steps.indices.contains(former) else { break }
            let files = group.steps[former].files
            if !files.isEmpty {
                var inputs: [Input] = []
                for file in files {
                    let found = try await metadata.version(of: file.key, in: file.bucket, version: file.versionID)
                    guard let version = found, !version.isDeleteMarker else {
                        throw Fault.impossible("\(file.key.text), which step \(group.steps[former].name) made, is gone")
                    }
                    inputs.append(
                        Input(name: AssetName.last(of: file.key.utf8), bucket: file.bucket, version: version))
                }
                return inputs
            }
            place = group.steps[former].after
        }
        let event = group.event
        guard event.draft.name.leavesObject else { return [] }
        guard let version = try await source(of: event, metadata) else { throw Fault.gone }
        return [Input(name: AssetName.last(of: event.key.utf8), bucket: event.bucket, version: version)]
    }

    /// Steps before leave the picture's shape as it is.
    private static func focus(of work: JobWork, _ metadata: any MetadataStore) async throws -> FocalPoint? {
        guard case .variants = work.step.action, let version = try await source(of: work.leased.group.event, metadata)
        else { return nil }
        return try await metadata.focalPoint(of: version, in: work.leased.group.event.bucket)
    }

    /// The very version that the event is about; nil where it is gone.
    static func source(of event: ObjectEvent, _ metadata: any MetadataStore) async throws -> ObjectVersion? {
        let found = try await metadata.version(of: event.key, in: event.bucket, version: event.versionID)
        // The `null` version of another sequence is another object.
        guard let found, found.sequence == event.sequence, !found.isDeleteMarker else { return nil }
        return found
    }

    // MARK: As JSON

    func document(lease: Duration) -> JSONValue {
        let (job, group) = (work.leased.job, work.leased.group)
        let event = group.event
        var members: [JSONValue.Member] = [
            .init("id", .string(String(ascii: job.id.text))), .init("lease", .string(Hex.string(job.token))),
            .init("lease_ms", .integer(lease.milliseconds)), .init("attempt", .integer(Int64(job.attempt))),
            .init("hook", .string(group.hook)), .init("step", .string(work.step.name)),
            .init("kind", .string(work.step.action.name)), .init("queue", .string(job.queue)),
            .init("timeout_ms", .integer(work.step.timeout.milliseconds)),
            .init("event", .string(event.draft.name.text)),
            .init("bucket", .string(event.draft.bucketName.description)), .init("key", .string(event.key.text)),
            .init("version", event.versionID.map { .string(String(ascii: $0.utf8)) } ?? .null),
            .init("inputs", .array(inputs.map(Self.document))),
            .init("options", options()),
        ]
        if let logo { members.append(.init("logo", Self.document(logo))) }
        if case .watermark(let options) = work.step.action, case .logo(.url(let url)) = options.mark {
            members.append(.init("logo", ["url": .string(url)]))
        }
        return .object(members)
    }

    private func options() -> JSONValue {
        let action = work.step.action
        if let options = MediaOptions.options(of: action, presets: work.presets, focus: focus) {
            guard case .preview(let preview) = action, !preview.kinds.isEmpty, case .object(let members) = options
            else {
                return options
            }
            // What is not among them is not kept.
            return .object(
                members + [.init("kinds", .array(preview.kinds.map(\.rawValue).sorted().map { .string($0) }))])
        }
        switch action {
        case .deliver(let options):
            return [
                "url": .string(options.url), "field": .string(options.field),
                "fields": .object(options.fields.map { .init($0.name, .string($0.value)) }),
            ]
        default: return .object([])
        }
    }

    private static func document(_ input: Input) -> JSONValue {
        [
            "name": .string(String(decoding: input.name, as: UTF8.self)),
            "size": .integer(Int64(clamping: input.version.size)),
            "content_type": .string(
                String(
                    decoding: input.version.attributes.contentType ?? Array("application/octet-stream".utf8),
                    as: UTF8.self)),
            "etag": .string(String(ascii: input.version.etag.unquoted)),
        ]
    }
}

extension MetadataStore {
    /// The asset's, else the object's own.
    func focalPoint(of version: ObjectVersion, in bucket: BucketID) async throws(MetadataError) -> FocalPoint? {
        let asset = try await asset(of: version.key, in: bucket)
        return asset?.details.focalPoint ?? FocalPoint(of: version.attributes)
    }
}
