import Addons
import Bytes
import Hooks
import JSON
import Metadata
import Targets

/// What a worker is told of the addon that a job calls, under the job's lease: this addon's settings and secret, and what is said to it.
struct AddonOrders: Sendable {
    let services: Services
    let addons: AddonRegister
    let users: UserDirectory
    let tokens: CallbackTokens
    /// Of the S3 listener, without a slash at the end.
    let publicURL: String
    /// Of the services listener; nil where there is none.
    let servicesURL: String?

    /// For how much longer than the step's time URLs are good.
    private static let grace = Duration.seconds(3600)

    func document(of order: WorkOrder, _ engine: JobEngine) async throws -> JSONValue {
        let work = order.work
        guard case .addon(let name, _) = work.step.action else {
            throw Problem(404, "Not found", "The job calls no addon.")
        }
        guard let credentials = try await addons.credentials(of: name) else {
            throw Problem(422, "Cannot be done", "The addon \(name) is not registered.")
        }
        let (job, group) = (work.leased.job, work.leased.group)
        // As it is now: a lease knows the job of its claim.
        let present = try await engine.store.job(job.id) ?? job
        let id = String(ascii: job.id.text)
        return [
            "addon": .string(name), "settings": credentials.document,
            "secret": .string(String(decoding: credentials.secret, as: UTF8.self)),
            "idempotency_key": .string("\(id)/\(work.step.name)"),
            "payload": [
                "id": .string(id), "hook": .string(group.hook), "step": .string(work.step.name),
                "attempt": .integer(Int64(job.attempt)), "event": try await record(of: group, engine),
                "asset": try await asset(of: group.event), "user": try await user(of: group.event),
                "files": .array(try await files(order, engine)), "callback_url": callbackURL(of: work),
            ],
            "ticket": JSONValue(parsing: present.ticket) ?? .null,
            "answer": JSONValue(parsing: present.answer) ?? .null,
        ]
    }

    private func record(of group: JobGroup, _ engine: JobEngine) async throws -> JSONValue {
        var buckets: [BucketID: Bucket] = [:]
        buckets[group.event.bucket] = try await engine.store.bucket(group.event.bucket)
        return EventText(region: services.configuration.region)
            .record(of: group.event, binding: EventBinding(id: group.hook, target: ""), buckets)
    }

    /// As it is known now, or was last; null where the bucket has no assets.
    private func asset(of event: ObjectEvent) async throws -> JSONValue {
        guard let asset = try await services.metadata.asset(of: event.key, in: event.bucket),
            let document = try await services.metadata.asset(asset.id)
        else { return .null }
        return AssetJSON.value(of: document, publicURL: publicURL)
    }

    private func user(of event: ObjectEvent) async throws -> JSONValue {
        let name = event.draft.principal
        let found = try await users.user(named: name)
        let roles: [JSONValue] =
            switch found?.policy {
            case .readonly: ["viewer"]
            case .readwrite: ["editor"]
            case .admin: ["admin"]
            case .writeonly, nil: []
            }
        return [
            "id": .string(name), "name": .string(name),
            "customer_id": (found?.customer ?? event.draft.customer).map { .string($0) } ?? .null,
            "roles": .array(roles),
        ]
    }

    /// Each with a presigned GET of the very version.
    private func files(_ order: WorkOrder, _ engine: JobEngine) async throws -> [JSONValue] {
        guard !order.inputs.isEmpty, let root = try await users.user(named: UserDirectory.rootName),
            let presigner = Presigner(
                endpoint: publicURL, accessKey: root.accessKey, secret: try users.secret(of: root),
                region: services.configuration.region)
        else { return [] }
        let time = min(order.work.step.timeout + Self.grace, .seconds(604_800))
        var files: [JSONValue] = []
        for input in order.inputs {
            let url = try await engine.store.bucket(input.bucket).flatMap {
                presigner.url(
                    method: "GET", bucket: $0.name.description, key: input.version.key.utf8,
                    versionID: String(ascii: input.version.versionID.utf8), expires: time)
            }
            files.append([
                "name": .string(String(decoding: input.name, as: UTF8.self)),
                "size": .integer(Int64(clamping: input.version.size)),
                "content_type": .string(
                    String(
                        decoding: input.version.attributes.contentType ?? Array("application/octet-stream".utf8),
                        as: UTF8.self)),
                "url": url.map { .string($0) } ?? .null,
            ])
        }
        return files
    }

    private func callbackURL(of work: JobWork) -> JSONValue {
        let until = Timestamp(
            milliseconds: Timestamp.now().milliseconds &+ (work.step.timeout + Self.grace).milliseconds)
        guard let servicesURL, let token = tokens.token(for: work.leased.job.id, until: until) else { return .null }
        return .string("\(servicesURL)/api/addon-callbacks/\(token)")
    }
}
