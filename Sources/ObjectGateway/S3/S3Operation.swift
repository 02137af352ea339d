import Buckets
import HTTPServer
import Hooks
import Metadata
import Policies
import Targets
import Threads

/// One operation of S3's API: what it reads from a request, what it does, what it answers.
protocol S3Operation: Sendable {
    associatedtype Input: Sendable
    associatedtype Output: Sendable

    /// How a request for this operation is recognised, and the right it asks for.
    static var route: OperationRoute { get }
    /// Reads parameters and fields, and the body where it is a document. Object data stays unread.
    static func decode(_ request: S3Request) async throws -> Input

    init(_ services: Services)
    func run(_ input: Input, as caller: Caller) async throws -> Output
    static func encode(_ output: Output) -> Response
}

/// What operations work with.
struct Services: Sendable {
    let objects: ObjectStore
    /// Nil where nothing can have hooks.
    let jobs: JobEngine?
    /// Nil where nobody can be told of events.
    let targets: TargetEngine?
    let configuration: GatewayConfiguration
    let access: Access

    init(
        objects: ObjectStore, jobs: JobEngine?, targets: TargetEngine?, configuration: GatewayConfiguration
    ) {
        (self.objects, self.jobs, self.targets, self.configuration) = (objects, jobs, targets, configuration)
        access = Access(metadata: objects.metadata, configuration: configuration)
    }

    var metadata: any MetadataStore { objects.metadata }

    /// Whether a key is there is told to those only who may list the bucket (API/GetObject, Permissions): AccessDenied in the place of
    /// NoSuchKey for others.
    func masked(_ error: S3Error, from caller: Caller, in name: BucketName?) async throws -> S3Error {
        guard error.code == .noSuchKey || error.code == .noSuchVersion, let name else { return error }
        do {
            try await access.check(caller, may: .listBucket, in: try await metadata.bucket(named: name))
        } catch let refusal as S3Error where refusal.code == .accessDenied {
            return S3Error(.accessDenied, cause: "\(error.code.rawValue), and \(refusal.cause ?? "")")
        }
        return error
    }

    /// NoSuchBucket when there is none of this name.
    func bucket(_ name: BucketName) async throws -> Bucket {
        guard let bucket = try await metadata.bucket(named: name) else {
            throw S3Error(.noSuchBucket).adding("BucketName", name.utf8)
        }
        return bucket
    }
}

/// How a request for an operation is recognised. Among the operations that match, the one that asks for most wins.
struct OperationRoute: Sendable {
    /// As AWS names the operation.
    var name: StaticString
    var method: RequestHead.Method
    var scope: RequestTarget.Scope
    /// Parameters that must be present: `uploads`, `uploadId`.
    var parameters: [StaticString] = []
    /// A parameter with this value must be present.
    var parameterValue: (name: StaticString, value: StaticString)?
    /// A field that must be present: `x-amz-copy-source`.
    var header: StaticString?
    var action: Action
    /// Rights are asked for by what is in the body: where the bucket has a policy, the operation checks them itself.
    var checksItself = false
    /// May copy so many bytes that the connection must be kept alive meanwhile.
    var mayTakeLong = false
    /// One line for the compatibility table.
    var notes: StaticString = ""

    func matches(_ head: RequestHead, _ target: RequestTarget) -> Bool {
        guard head.method == method, target.scope == scope, parameters.allSatisfy(target.query.contains) else {
            return false
        }
        if let wanted = parameterValue {
            guard let value = target.query[wanted.name], wanted.value.matches(value) else { return false }
        }
        if let header, head.first(header) == nil { return false }
        return true
    }

    /// How much the route asks for.
    var specificity: Int { parameters.count + (parameterValue == nil ? 0 : 1) + (header == nil ? 0 : 1) }
}
