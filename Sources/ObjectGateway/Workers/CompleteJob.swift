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
        let labels = VariantLabel.labels(for: work, focus: engine.focus(of: id))
        for (index, blob) in staged.enumerated() {
            let file = report.files[index]
            let label = file.variant.flatMap { labels[$0] }
            let version = try await version(
                of: file, blob, key: place.keys[index], in: place.bucket, work, label: label)
            completion.files.append((name: file.label, version: version))
        }
        try await learn(from: report, work, &completion)
        let made = completion
        let ending = try await services.objects.publish(staged) { () async throws(MetadataError) in
            try await end(made, report, work)
        }
        return WorkerRoutes.json([
            "state": .string(JobState.completed.name), "repeated": .bool(ending.isRepeated),
            "keys": .array(place.keys.map { .string($0.text) }),
        ])
    }

    /// What is known of the asset may change meanwhile: then it is read again.
    private func end(
        _ made: JobCompletion, _ report: CompletionReport, _ work: JobWork
    ) async throws(MetadataError) -> JobEnding {
        var completion = made
        for _ in 0..<Self.triesMax {
            do throws(MetadataError) { return try await engine.complete(completion) } catch {
                guard error == .superseded else { throw error }
            }
            let event = work.leased.group.event
            guard let asset = try await services.metadata.asset(of: event.key, in: event.bucket),
                let details = try? details(report, work, after: asset.details)
            else { break }
            completion.details = details
            completion.formerDetails = asset.details
        }
        throw .superseded
    }

    private static let triesMax = 20

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
        of file: CompletionReport.File, _ blob: StagedBlob, key: ObjectKey, in bucket: Bucket, _ work: JobWork,
        label: UserMetadata?
    ) async throws -> NewVersion {
        let group = work.leased.group
        let event = group.event
        var attributes = ObjectAttributes()
        attributes.contentType = Array(file.contentType.utf8)
        if let label { attributes.userMetadata = [label] }
        var draft: EventDraft?
        // What a reader had made is news to nobody.
        let isAnnounced = if case .variant? = BuiltInHook(group.hook) { false } else { true }
        if isAnnounced, let rules = try await engine.hooks.rules(of: bucket) {
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
        // What was found of a file that another step made is not true of the object.
        case .probe: if work.step.after == nil { completion.found = report.findings }
        case .addon:
            guard let asset = try await services.metadata.asset(of: group.event.key, in: group.event.bucket) else {
                return
            }
            completion.details = try details(report, work, after: asset.details)
            completion.formerDetails = completion.details.map { _ in asset.details }
        case .tag(let tags):
            var results: [String: JSONValue] = [:]
            for step in group.steps { results[step.name] = JSONValue(parsing: step.result) }
            completion.tags = TagValues.fill(tags, from: results)
        case .watermark, .variants, .preview, .transcode, .deliver: break
        }
    }

    /// Nil where the step says nothing of the asset.
    private func details(
        _ report: CompletionReport, _ work: JobWork, after known: AssetDetails
    ) throws(Problem) -> AssetDetails? {
        guard case .addon(_, let save) = work.step.action, !save.isEmpty, let found = report.result?["metadata"] else {
            return nil
        }
        var details = known
        details.custom = try SavedMetadata.custom(known.custom, with: found, at: save)
        return details
    }
}
