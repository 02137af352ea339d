import Buckets
import Bytes
import Digests
import HTTPServer
import Hooks
import JSON
import Metadata

/// Takes what a worker made of a job, and publishes it with the end of the job in one commit.
struct CompleteJob: Sendable {
    let services: Services
    let engine: JobEngine

    func run(_ id: JobID, token: [UInt8], _ body: CompletionBody) async throws -> Response {
        guard let leased = try await engine.leased(id, token: token) else {
            // The same end again, whose answer was lost.
            guard try await engine.wasCompleted(id, by: token) else { throw MetadataError.leaseLost }
            return WorkerRoutes.json(["state": .string(JobState.completed.name), "repeated": .bool(true)])
        }
        guard let work = try await engine.work(of: leased) else { throw MetadataError.leaseLost }
        let report = try CompletionReport(
            try await body.line(), sizeMax: services.configuration.objectSizeMax)
        let place = try await place(of: report, work)
        var staged: [StagedBlob] = []
        for (file, key) in zip(report.files, place.keys) {
            let label = BlobLabel(
                bucket: place.bucket.name, key: key, contentType: Array(file.contentType.utf8))
            let blob = try await services.objects.stage(
                body.file(file.size), digests: .md5, sizeMax: services.configuration.objectSizeMax, label: label,
                mayBeInline: false)
            staged.append(blob)
        }
        guard try await body.isAtEnd() else {
            throw Problem(422, "Bad body", "Bytes stand behind the last file.")
        }
        var completion = JobCompletion(job: id, token: token, result: report.keptResult)
        for (index, blob) in staged.enumerated() {
            let file = report.files[index]
            completion.files.append(
                (
                    name: file.label,
                    version: try await version(of: file, blob, key: place.keys[index], in: place.bucket, work)
                ))
        }
        try await learn(from: report, work, &completion)
        let end = completion
        let ending = try await services.objects.publish(staged) { () async throws(MetadataError) in
            try await engine.complete(end)
        }
        return WorkerRoutes.json([
            "state": .string(JobState.completed.name), "repeated": .bool(ending.isRepeated),
            "keys": .array(place.keys.map { .string($0.text) }),
        ])
    }

    /// Where the files go.
    private struct Place {
        var bucket: Bucket
        var keys: [ObjectKey]
    }

    private func place(of report: CompletionReport, _ work: JobWork) async throws -> Place {
        let event = work.leased.group.event
        let name = work.hook.output.bucket ?? BucketName(OutputPlace.bucketDefault.utf8) ?? event.draft.bucketName
        guard let bucket = try await services.metadata.bucket(named: name) else {
            throw Problem(422, "No bucket", "There is no bucket \(name) for what the hook makes.")
        }
        do throws(OutputKeys.Fault) {
            let keys = try OutputKeys(work.hook.output, event: event, step: work.step.name)
                .keys(of: report.files.map(\.name)) { Digest.sha256($0) }
            return Place(bucket: bucket, keys: keys)
        } catch {
            switch error {
            case .tooLong(let name): throw Problem(422, "Key too long", "The file \(name) would have too long a key.")
            case .twice(let key): throw Problem(422, "Key twice", "Two files would have the key \(key).")
            }
        }
    }

    private func version(
        of file: CompletionReport.File, _ blob: StagedBlob, key: ObjectKey, in bucket: Bucket, _ work: JobWork
    ) async throws -> NewVersion {
        let group = work.leased.group
        let event = group.event
        var attributes = ObjectAttributes()
        attributes.contentType = Array(file.contentType.utf8)
        var draft: EventDraft?
        if let rules = try await engine.hooks.rules(of: bucket.id) {
            let origin = EventOrigin(
                bucket: event.bucket, hook: group.hook, depth: (event.draft.origin?.depth ?? 0) + 1)
            let object = FilteredObject(
                key: key.utf8, size: blob.size, contentType: attributes.contentType, tags: [], userMetadata: [],
                customer: event.draft.customer)
            draft = rules.draft(
                .createdPut, of: object, in: bucket,
                because: EventCause(principal: event.draft.principal, origin: origin))
        }
        return NewVersion(
            bucket: bucket.id, key: key, owner: event.draft.principal, size: blob.size,
            etag: ETag(md5: blob.digests[.md5] ?? []), attributes: attributes, checksum: nil, tags: [],
            content: blob.content, blob: blob.new, event: draft)
    }

    /// What is known of the object from now on.
    private func learn(
        from report: CompletionReport, _ work: JobWork, _ completion: inout JobCompletion
    ) async throws {
        let group = work.leased.group
        switch work.step.action {
        case .probe:
            guard let asset = try await services.metadata.asset(of: group.event.key, in: group.event.bucket) else {
                return
            }
            completion.details = report.details(after: asset.details)
        case .tag(let tags):
            guard let source = try await WorkOrder.source(of: group.event, services.metadata) else {
                throw MetadataError.sourceGone
            }
            var results: [String: JSONValue] = [:]
            for step in group.steps { results[step.name] = JSONValue(parsing: step.result) }
            let merged = TagValues.merge(TagValues.fill(tags, from: results), into: source.tags)
            guard merged.count <= 10 else {
                throw Problem(422, "Too many tags", "The object would have \(merged.count) tags; ten is the most.")
            }
            completion.tags = merged
        case .watermark, .variants, .preview, .transcode, .addon, .deliver: break
        }
    }
}
