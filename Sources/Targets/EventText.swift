public import Bytes
public import JSON
public import Metadata

/// Writes events as AWS does (userguide/notification-content-structure), with what AWS has not beside it: `rawKey`, `eventId`, and
/// `job` of the end of a hook.
public struct EventText: Sendable {
    public var region: String

    public init(region: String) { self.region = region }

    /// Ascends with the events of a store.
    public static func id(of event: ObjectEvent) -> String {
        String(ascii: Hex.encode(UInt64(bitPattern: event.position), width: 16))
    }

    /// One record for each of `bindings`, which name the target. `job` is the run whose end the event is; `buckets` are those that the two
    /// name, but for those that are gone.
    public func message(
        of event: ObjectEvent, for bindings: [EventBinding], in buckets: [BucketID: Bucket] = [:],
        job: JobGroup? = nil
    ) -> TargetMessage {
        let records = bindings.map { record(of: event, binding: $0, buckets, job) }
        return TargetMessage(
            id: Self.id(of: event), event: "s3:\(event.draft.name.text)", key: event.key,
            bucket: event.draft.bucketName, body: JSONValue.object([.init("Records", .array(records))]).text)
    }

    /// One record. `binding` says what the event is told for.
    public func record(
        of event: ObjectEvent, binding: EventBinding, _ buckets: [BucketID: Bucket], _ job: JobGroup? = nil
    ) -> JSONValue {
        let draft = event.draft
        let isJob = draft.name == .jobFinished
        var members: [JSONValue.Member] = [
            .init("eventVersion", "2.3"), .init("eventSource", "aws:s3"), .init("awsRegion", .string(region)),
            .init("eventTime", .string(String(ascii: DateFormats.iso8601(event.moment)))),
            .init("eventName", .string(draft.name.text)), .init("eventId", .string(Self.id(of: event))),
            .init("userIdentity", ["principalId": .string(draft.principal)]),
            .init("requestParameters", ["sourceIPAddress": text(draft.sourceAddress)]),
            .init("responseElements", ["x-amz-request-id": isJob ? "" : text(draft.requestID)]),
            .init("s3", s3(event, binding, owner: buckets[event.bucket]?.owner)),
        ]
        if isJob { members.append(.init("job", describe(job, id: draft.requestID, hook: binding.id, buckets))) }
        return .object(members)
    }

    private func s3(_ event: ObjectEvent, _ binding: EventBinding, owner: String?) -> JSONValue {
        let name = event.draft.bucketName.description
        var object: [JSONValue.Member] = [
            .init("key", text(PercentEncoding.encodeForListing(event.key.utf8))), .init("rawKey", text(event.key.utf8)),
        ]
        if event.draft.name.leavesObject {
            object.append(.init("size", .integer(Int64(clamping: event.size))))
            if let etag = event.etag { object.append(.init("eTag", text(etag.unquoted))) }
        }
        if let version = event.versionID, version != .null { object.append(.init("versionId", text(version.utf8))) }
        object.append(.init("sequencer", text(Hex.encode(UInt64(bitPattern: event.sequence), width: 16))))
        return [
            "s3SchemaVersion": "1.0", "configurationId": .string(binding.id),
            "bucket": [
                "name": .string(name),
                "ownerIdentity": ["principalId": .string(owner ?? "")],
                "arn": .string("arn:aws:s3:::\(name)"),
            ],
            "object": .object(object),
        ]
    }

    /// What is known of the run where its group is forgotten is its id and hook.
    private func describe(
        _ job: JobGroup?, id: [UInt8], hook: String, _ buckets: [BucketID: Bucket]
    ) -> JSONValue {
        var members: [JSONValue.Member] = [.init("id", text(id)), .init("hook", .string(hook))]
        if let job {
            members.append(.init("state", .string("\(job.state)")))
            members.append(.init("steps", .array(job.steps.map { describe($0, buckets) })))
        }
        return .object(members)
    }

    private func describe(_ step: JobGroup.Step, _ buckets: [BucketID: Bucket]) -> JSONValue {
        let files = step.files.map { file -> JSONValue in
            [
                "name": .string(file.name), "bucket": .string(buckets[file.bucket]?.name.description ?? ""),
                "key": text(file.key.utf8), "size": .integer(Int64(clamping: file.size)),
                "content_type": text(file.contentType),
            ]
        }
        var members: [JSONValue.Member] = [
            .init("name", .string(step.name)), .init("kind", .string(step.kind)),
            .init("state", .string("\(step.state)")), .init("files", .array(files)),
        ]
        if !step.reason.isEmpty { members.append(.init("reason", .string(step.reason))) }
        return .object(members)
    }

    private func text(_ bytes: [UInt8]) -> JSONValue { .string(String(decoding: bytes, as: UTF8.self)) }

    /// What a target is sent to be tried out, as S3 does when a configuration is set.
    public static func trial(of target: String, at moment: Timestamp) -> TargetMessage {
        let body: JSONValue = [
            "Service": "ObjectGateway", "Event": "s3:TestEvent",
            "Time": .string(String(ascii: DateFormats.iso8601(moment))), "Target": .string(target),
        ]
        return TargetMessage(
            id: String(ascii: UUIDBytes.text(UUIDBytes.version7(at: moment))), event: "s3:TestEvent", key: nil,
            bucket: nil,
            body: body.text)
    }
}
