import Bytes
import JSON
import Metadata

/// What the `ogw` commands change in a store: users and buckets. The same code serves the control socket of a running
/// gateway and a command that has opened the store itself.
struct Administration: Sendable {
    static let bucketNameRule = "a bucket name: 3 to 63 of a-z 0-9 . -, beginning and ending with a letter or digit"

    let metadata: any MetadataStore
    let users: UserDirectory
    let configuration: GatewayConfiguration
    let check: StoreCheck
    let tokens: WorkerTokenRoutes

    func listUsers() async throws -> JSONValue {
        ["users": .array(try await attempt { () async throws(MetadataError) in try await users.users() }.map(describe))]
    }

    func addUser(_ body: JSONValue) async throws -> JSONValue {
        guard let name = body["name"]?.string else { throw Problem.invalid([.init(field: "name", wanted: "a string")]) }
        let policy = body["policy"]?.string.flatMap { CannedPolicy(rawValue: $0) } ?? .readwrite
        let user = try await attemptUser(name) { () async throws(UserError) in
            try await users.add(
                name: name, accessKey: body["access_key"]?.string.map { [UInt8]($0.utf8) },
                secret: body["secret_key"]?.string.map { [UInt8]($0.utf8) }, policy: policy,
                customer: body["customer"]?.string)
        }
        return credentials(of: user)
    }

    func setDisabled(_ isDisabled: Bool, name: String) async throws -> JSONValue {
        if isDisabled, name == UserDirectory.rootName {
            throw Problem(409, "Conflict", "The user root cannot be disabled; give it new keys instead.")
        }
        return describe(
            try await attemptUser(name) { () async throws(UserError) in
                try await users.setDisabled(isDisabled, name: name)
            })
    }

    func rotateUser(_ name: String, _ body: JSONValue) async throws -> JSONValue {
        let user = try await attemptUser(name) { () async throws(UserError) in
            try await users.rotate(
                name: name, accessKey: body["access_key"]?.string.map { [UInt8]($0.utf8) },
                secret: body["secret_key"]?.string.map { [UInt8]($0.utf8) },
                renewsAccessKey: body["new_access_key"]?.bool ?? false)
        }
        return credentials(of: user)
    }

    func listBuckets() async throws -> JSONValue {
        var found: [JSONValue] = []
        var after: BucketName?
        while true {
            let last = after
            let page = try await attempt { () async throws(MetadataError) in
                try await metadata.buckets(after: last, prefix: [], limit: 1000)
            }
            found += page.map(describe)
            guard page.count == 1000, let name = page.last?.name else { return ["buckets": .array(found)] }
            after = name
        }
    }

    func makeBucket(_ body: JSONValue) async throws -> JSONValue {
        let name = try bucketName(body["name"]?.string ?? "")
        let owner = body["owner"]?.string ?? UserDirectory.rootName
        let found = try await attempt { () async throws(MetadataError) in try await users.user(named: owner) }
        guard found != nil else {
            throw Problem.invalid([.init(field: "owner", wanted: "the name of a user")])
        }
        do throws(MetadataError) {
            let bucket = try await metadata.createBucket(named: name, owner: owner, at: .now())
            if body["versioning"]?.bool ?? false { try await metadata.setVersioning(.enabled, of: bucket.id) }
            guard let made = try await metadata.bucket(named: name) else { return describe(bucket) }
            return describe(made)
        } catch {
            throw problem(error, subject: "bucket \(name)")
        }
    }

    func removeBucket(_ text: String) async throws {
        let name = try bucketName(text)
        do throws(MetadataError) {
            guard let bucket = try await metadata.bucket(named: name) else { throw .noSuchBucket }
            try await metadata.deleteBucket(bucket.id)
        } catch {
            throw problem(error, subject: "bucket \(name)")
        }
    }

    /// Whether a bucket's objects are assets. What is there already becomes some by `makeAssets`.
    func setAssets(_ text: String, _ body: JSONValue) async throws -> JSONValue {
        guard let hasAssets = body["assets"]?.bool else {
            throw Problem.invalid([.init(field: "assets", wanted: "true or false")])
        }
        return describe(
            try await changeBucket(text) { (bucket) async throws(MetadataError) in
                try await metadata.setAssets(hasAssets, of: bucket.id)
            })
    }

    /// Makes assets of the next 1,000 objects of a bucket that has them. The answer's `next` is asked with to go on; null at the end.
    func makeAssets(_ text: String, _ body: JSONValue) async throws -> JSONValue {
        let after = body["after"]?.string.map { [UInt8]($0.utf8) }
        let key = after.flatMap { Hex.decode($0) }
        if after != nil, key == nil {
            throw Problem.invalid([.init(field: "after", wanted: "next of the answer before")])
        }
        var answer: JSONValue = .null
        _ = try await changeBucket(text) { (bucket) async throws(MetadataError) in
            let page = try await metadata.listObjects(
                ListQuery(bucket: bucket.id, prefix: [], delimiter: nil, after: key, limit: 1_000))
            let made = try await metadata.makeAssets(of: page.objects.map(\.key), in: bucket.id)
            answer = [
                "made": .integer(Int64(made)),
                "next": page.isTruncated ? page.last.map { .string(String(ascii: Hex.encode($0))) } ?? .null : .null,
            ]
        }
        return answer
    }

    /// Returns the bucket as it is afterwards.
    private func changeBucket(
        _ text: String, _ change: (Bucket) async throws(MetadataError) -> Void
    ) async throws -> Bucket {
        let name = try bucketName(text)
        do throws(MetadataError) {
            guard let bucket = try await metadata.bucket(named: name) else { throw .noSuchBucket }
            try await change(bucket)
            return try await metadata.bucket(named: name) ?? bucket
        } catch {
            throw problem(error, subject: "bucket \(name)")
        }
    }

    /// A presigned URL with a user's keys, made here so that the secret key stays in the store's process.
    func presign(_ body: JSONValue) async throws -> JSONValue {
        let name = body["user"]?.string ?? UserDirectory.rootName
        let found = try await attempt { () async throws(MetadataError) in try await users.user(named: name) }
        guard let user = found else { throw Problem.invalid([.init(field: "user", wanted: "the name of a user")]) }
        let secret = try users.secret(of: user)
        let endpoint = body["endpoint"]?.string ?? configuration.publicURL(bound: configuration.s3Listen)
        guard
            let presigner = Presigner(
                endpoint: endpoint, accessKey: user.accessKey, secret: secret, region: configuration.region)
        else { throw Problem.invalid([.init(field: "endpoint", wanted: "an http or https URL")]) }
        let bucket = try bucketName(body["bucket"]?.string ?? "", field: "bucket")
        guard let key = ObjectKey((body["key"]?.string ?? "").utf8) else {
            throw Problem.invalid([.init(field: "key", wanted: "1 to 1024 bytes")])
        }
        let url = presigner.url(
            method: body["method"]?.string ?? "GET", bucket: bucket.description, key: key.utf8,
            versionID: body["version_id"]?.string, expires: .seconds(body["expires_s"]?.integer ?? 3600), at: .now())
        guard let url else { throw Problem.invalid([.init(field: "expires_s", wanted: Presigner.expiresRule)]) }
        return ["url": .string(url)]
    }

    private func bucketName(_ text: String, field: String = "name") throws(Problem) -> BucketName {
        guard let name = BucketName(text.utf8) else {
            throw .invalid([.init(field: field, wanted: Self.bucketNameRule)])
        }
        return name
    }

    private func describe(_ user: User) -> JSONValue {
        [
            "name": .string(user.name), "access_key": .string(String(ascii: user.accessKey)),
            "policy": .string(user.policy.rawValue), "customer": user.customer.map { .string($0) } ?? .null,
            "disabled": .bool(user.isDisabled), "created_at": .string(String(ascii: DateFormats.iso8601(user.created))),
        ]
    }

    /// The only answer with a secret in it: of a user just made, or one with new keys.
    private func credentials(of user: KnownUser) -> JSONValue {
        [
            "name": .string(user.name), "access_key": .string(String(ascii: user.accessKey)),
            "secret_key": .string(String(ascii: user.secret)), "policy": .string(user.policy.rawValue),
            "customer": user.customer.map { .string($0) } ?? .null,
        ]
    }

    private func describe(_ bucket: Bucket) -> JSONValue {
        [
            "name": .string(bucket.name.description), "owner": .string(bucket.owner),
            "versioning": .string("\(bucket.versioning)"), "assets": .bool(bucket.hasAssets),
            "created_at": .string(String(ascii: DateFormats.iso8601(bucket.created))),
        ]
    }

    private func attempt<Result>(
        _ body: () async throws(MetadataError) -> Result
    ) async throws -> Result {
        do { return try await body() } catch { throw problem(error, subject: "the store") }
    }

    private func attemptUser<Result>(
        _ name: String, _ body: () async throws(UserError) -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch .invalid(let field, let wanted) {
            throw Problem.invalid([.init(field: field, wanted: wanted)])
        } catch .store(let error) {
            throw problem(error, subject: "user \(name)")
        }
    }

    /// The table from the store's errors to problems. What a person cannot mend is passed on, to be logged and answered 500.
    private func problem(_ error: MetadataError, subject: String) -> any Error {
        switch error {
        case .noSuchBucket, .noSuchUser: Problem(404, "Not found", "There is no \(subject).")
        case .bucketExists: Problem(409, "Conflict", "There is a \(subject) already.")
        case .bucketNotEmpty:
            Problem(409, "Conflict", "The \(subject) is not empty: remove its objects, versions and uploads first.")
        case .userExists: Problem(409, "Conflict", "There is a \(subject) already.")
        case .accessKeyExists: Problem(409, "Conflict", "Another user has this access key.")
        case .limitExceeded(let what): Problem(409, "Limit exceeded", "The limit is reached: \(what).")
        case .diskFull: Problem(507, "Insufficient storage", "The disk is full.")
        case .overloaded, .unavailable: Problem(503, "Unavailable", "The store is busy or away; try again.")
        default: error
        }
    }
}
