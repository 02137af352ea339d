import Bytes
import Hooks
import JSON
import Metadata

/// Runs hooks for what is there already, or for what happened before, a bounded piece at a time.
extension HookAdministration {
    /// Objects of one request for a backfill, and events of one for a replay.
    private static let pageLength = 500

    // MARK: Backfill

    /// An event as if each object of a page had just come. The answer's `next` is sent as `after` to go on; null at the end.
    func backfill(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let bucket = try await bucket(input)
        let rules = try await chosenRules(input, of: bucket, engine)
        var after: [UInt8]?
        if let text = input.body["after"]?.string {
            guard let key = Hex.decode(Array(text.utf8)) else {
                throw Problem.invalid([.init(field: "after", wanted: "next of the answer before")])
            }
            after = key
        }
        let page = try await metadata.listObjects(
            ListQuery(
                bucket: bucket.id, prefix: Array((input.body["prefix"]?.string ?? "").utf8), delimiter: nil,
                after: after, limit: Self.pageLength))
        var events: [ObjectEvent] = []
        for listed in page.objects {
            guard let version = try await metadata.version(of: listed.key, in: bucket.id, version: nil),
                !version.isDeleteMarker
            else { continue }
            let customer = try await engine.store.customer(ofUser: version.owner)
            let object = FilteredObject(version, customer: customer)
            let cause = EventCause(routeOf: input.caller)
            guard let draft = rules.draft(.createdPut, of: object, in: bucket, because: cause) else { continue }
            events.append(
                ObjectEvent(
                    position: 0, moment: version.modified, bucket: bucket.id, key: version.key,
                    versionID: version.versionID, sequence: version.sequence, size: version.size, etag: version.etag,
                    draft: draft))
        }
        let made = try await note(events, engine)
        return [
            "scanned": .integer(Int64(page.objects.count)), "made": .integer(Int64(made)),
            "next": page.isTruncated ? page.last.map { .string(String(ascii: Hex.encode($0))) } ?? .null : .null,
        ]
    }

    /// The bucket's, or only the hook that the body names, for objects that were created.
    private func chosenRules(_ input: RouteInput, of bucket: Bucket, _ engine: JobEngine) async throws -> HookRules {
        let name = input.body["hook"]?.string
        let isProbe = name == BuiltInHook.probe.name
        let found = isProbe ? try await engine.hooks.rules(of: bucket) : try await engine.hooks.rules(of: bucket.id)
        guard let rules = found else {
            throw Problem(409, "Conflict", "The bucket \(bucket.name) has no hooks.")
        }
        var configuration = rules.configuration
        // The built-in probe runs again where it is named only.
        configuration.probesAssets = configuration.probesAssets && isProbe
        // Those that are bound to events hear of what happens, not of what is there.
        configuration.bindings.removeAll { $0.target != nil }
        guard let name else { return HookRules(configuration, revision: rules.revision) }
        configuration.bindings.removeAll { $0.hook != name }
        configuration.hooks.removeAll { $0.name != name }
        guard !configuration.hooks.isEmpty || HookRules(configuration, revision: 0).probes(in: bucket) else {
            throw Problem.invalid([.init(field: "hook", wanted: "the name of a hook of the bucket", value: name)])
        }
        return HookRules(configuration, revision: rules.revision)
    }

    func note(_ events: [ObjectEvent], _ engine: JobEngine) async throws -> Int {
        guard !events.isEmpty else { return 0 }
        let made = try await engine.store.noteEvents(events)
        engine.notice()
        return made
    }

    // MARK: Replay

    /// The hooks of kept events run again, as they are now. The answer's `next` is sent as `after` to go on; null at the end.
    func replay(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let bucket = try await bucket(input)
        let rules = try await chosenRules(input, of: bucket, engine)
        let since = try Self.since(input)
        // What a replay notes itself is behind this.
        let end: Int64
        if let through = input.body["through"]?.integer {
            end = through
        } else {
            end = try await engine.store.lastEvent()
        }
        let after: Int64
        if let place = input.body["after"]?.integer {
            after = place
        } else {
            after = try await engine.store.positionOfEvents(since: since)
        }
        let page = try await engine.store.events(after: after, limit: Self.pageLength)
        var again: [ObjectEvent] = []
        for var event in page where event.position <= end {
            guard event.bucket == bucket.id, event.moment >= since else { continue }
            event.draft.hooks.removeAll { former in
                if BuiltInHook(former.name) == .probe { return !rules.probes(in: bucket) }
                return !rules.configuration.hooks.contains { $0.isEnabled && $0.name == former.name }
            }
            // Hooks without steps tell of the event itself.
            event.draft.bindings.removeAll { told in
                !rules.configuration.hooks.contains {
                    $0.isEnabled && $0.steps.isEmpty && $0.name == told.id && $0.notify.contains(told.target)
                }
            }
            guard !event.draft.hooks.isEmpty || !event.draft.bindings.isEmpty else { continue }
            event.draft.revision = rules.revision
            again.append(event)
        }
        let made = try await note(again, engine)
        let isOver = page.count < Self.pageLength || page.contains { $0.position > end }
        return [
            "scanned": .integer(Int64(page.count)), "made": .integer(Int64(made)), "through": .integer(end),
            "next": isOver ? .null : page.last.map { .integer($0.position) } ?? .null,
        ]
    }

    /// `since` is a moment, or a duration before now.
    private static func since(_ input: RouteInput) throws(Problem) -> Timestamp {
        let text = Array((input.body["since"]?.string ?? "").utf8)
        if let moment = DateFormats.parseISO8601(text) { return moment }
        if let duration = DurationText.parse(text) {
            return Timestamp(milliseconds: Timestamp.now().milliseconds &- duration.milliseconds)
        }
        throw .invalid([
            .init(
                field: "since", wanted: "a moment such as 2026-01-31T12:00:00Z, or a duration such as 24h",
                value: String(ascii: text))
        ])
    }

    // MARK: From outside

    /// Something happened to an object that is there, as somebody else says: its hooks hear of it.
    func tell(_ input: RouteInput) async throws -> JSONValue {
        let event = try await told(input)
        if let event { _ = try await note([event], jobs) }
        return ["hooks": .array(event?.draft.hooks.map { .string($0.name) } ?? [])]
    }

    /// The event that the body tells of; nil where no hook waits for it.
    func told(_ input: RouteInput) async throws -> ObjectEvent? {
        let engine = jobs
        let text = input.body["bucket"]?.string ?? ""
        let found =
            if let name = BucketName(text.utf8) { try await metadata.bucket(named: name) } else { nil as Bucket? }
        guard let bucket = found else { throw Problem(404, "Not found", "There is no bucket \(text).") }
        let name = try Self.event(input)
        let key = try Self.key(input)
        let version = try await metadata.version(of: key, in: bucket.id, version: nil)
        let absent = Problem(404, "Not found", "There is no such object.")
        guard let version, !version.isDeleteMarker else { throw absent }
        let customer = try await engine.store.customer(ofUser: version.owner)
        guard input.sees(customer: customer) else { throw absent }
        guard name.leavesObject else {
            throw Problem(409, "Conflict", "The object is there: delete it, and its hooks hear of it.")
        }
        let draft = try await engine.hooks.rules(of: bucket)?.draft(
            name, of: FilteredObject(version, customer: customer), in: bucket,
            because: EventCause(routeOf: input.caller))
        return draft.map {
            ObjectEvent(
                position: 0, moment: .now(), bucket: bucket.id, key: key, versionID: version.versionID,
                sequence: version.sequence, size: version.size, etag: version.etag, draft: $0)
        }
    }
}
