import Bytes
import HTTPServer
import Hooks
import JSON
import Metadata
import Policies
import Targets
import XML

/// API/PutBucketNotificationConfiguration: binds events to hooks that the bucket has, and to registered targets. The hooks themselves stay as they are.
struct PutBucketNotificationConfiguration: S3Operation {
    static let route = OperationRoute(
        name: "PutBucketNotificationConfiguration", method: .put, scope: .bucket, parameters: ["notification"],
        action: .putBucketNotification, notes: "binds hooks and targets by their ARNs; EventBridge is refused")

    struct Input: Sendable {
        var bucket: BucketName
        /// As `HookBinding` reads them.
        var bindings: [JSONValue]
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> Input {
        let bucket = try request.bucketName()
        let document = try await request.readXML()
        guard document.isNamed("NotificationConfiguration") else { throw S3Error(.malformedXML) }
        if document.child("EventBridgeConfiguration") != nil {
            throw S3Error(.notImplemented, "EventBridge is not available.")
        }
        var bindings: [JSONValue] = []
        for (kind, place) in Self.kinds {
            for element in document.children(kind) { bindings.append(try binding(element, place)) }
        }
        return Input(bucket: bucket, bindings: bindings)
    }

    private static let kinds: [(kind: StaticString, place: StaticString)] = [
        ("QueueConfiguration", "Queue"), ("TopicConfiguration", "Topic"),
        ("CloudFunctionConfiguration", "CloudFunction"),
    ]

    private static func unknownDestination(_ arn: [UInt8]) -> S3Error {
        .invalidArgument("ARN", arn, "Unable to validate the following destination configurations")
    }

    /// `place` holds the ARN.
    private static func binding(_ element: XMLElement, _ place: StaticString) throws(S3Error) -> JSONValue {
        guard let arn = element.text(of: place) else { throw S3Error(.malformedXML) }
        let destination: HookBinding.Destination
        if "CloudFunction".utf8.elementsEqual(place.description.utf8) {
            guard let hook = HookARN.hook(of: arn) else { throw unknownDestination(arn) }
            destination = .hook(hook)
        } else {
            let isTopic = "Topic".utf8.elementsEqual(place.description.utf8)
            guard let target = TargetARN.target(of: arn, isTopic: isTopic) else { throw unknownDestination(arn) }
            destination = .target(target, isTopic: isTopic)
        }
        var words: [String] = []
        for event in element.children("Event") {
            let word = String(decoding: event.text, as: UTF8.self)
            guard word.hasPrefix("s3:"), EventSelector.events(of: word) != nil else {
                throw .invalidArgument("Event", event.text, "The event is not supported for notifications")
            }
            words.append(word)
        }
        guard !words.isEmpty else { throw S3Error(.malformedXML) }
        var (prefix, suffix) = ("", "")
        for rule in element.child("Filter")?.child("S3Key")?.children("FilterRule") ?? [] {
            let value = String(decoding: rule.text(of: "Value") ?? [], as: UTF8.self)
            // AWS takes either case (API/FilterRule).
            switch Ascii.lowered(rule.text(of: "Name") ?? []) {
            case Array("prefix".utf8): prefix = value
            case Array("suffix".utf8): suffix = value
            default:
                throw .invalidArgument(
                    "FilterRule.Name", rule.text(of: "Name") ?? [], "filter rule name must be either prefix or suffix")
            }
        }
        let id = element.text(of: "Id").map { String(decoding: $0, as: UTF8.self) } ?? ""
        return HookBinding.value(
            id: id.isEmpty ? String(ascii: UUIDBytes.text(UUIDBytes.version7(at: .now()))) : id, to: destination,
            words: words, prefix: prefix, suffix: suffix)
    }

    func run(_ input: Input, as caller: Caller) async throws {
        let bucket = try await services.bucket(input.bucket)
        guard let jobs = services.jobs else {
            if input.bindings.isEmpty { return }
            throw S3Error(.notImplemented, "Hooks need the embedded store.")
        }
        // Another change of the hooks may come between.
        for _ in 0..<10 {
            let found = try await jobs.store.hooks(of: bucket.id)
            let present = found.flatMap { $0.document.isEmpty ? nil : JSONValue(parsing: $0.document) }
            if present == nil, input.bindings.isEmpty { return }
            let document = (present ?? ["hooks": []]).setting("bindings", .array(input.bindings))
            let configuration = try Self.configuration(document)
            try await checkTargets(of: configuration)
            do throws(MetadataError) {
                _ = try await jobs.setHooks(
                    configuration, document: document.text, of: bucket.id,
                    ifRevision: found?.revision ?? 0)
                return
            } catch .superseded {
                continue
            } catch { throw error }
        }
        throw MetadataError.superseded
    }

    private func checkTargets(of configuration: HookConfiguration) async throws {
        let named = configuration.bindings.compactMap(\.target)
        guard !named.isEmpty else { return }
        let known = Set(try await services.targets?.names() ?? [])
        if let unknown = named.first(where: { !known.contains($0) }) {
            throw Self.unknownDestination(
                Array(TargetARN.text(of: unknown, isTopic: false, region: services.configuration.region).utf8))
        }
    }

    private static func configuration(_ document: JSONValue) throws -> HookConfiguration {
        do { return try HookConfiguration(parsing: document.text) } catch {
            if error.path.hasSuffix(".hook") { throw unknownDestination(Array((error.value ?? "").utf8)) }
            throw S3Error.invalidArgument(error.path, (error.value ?? "").utf8, "\(error)")
        }
    }

    static func encode(_ output: Void) -> Response { Response(status: 200, body: .bytes([])) }
}

extension JSONValue {
    /// An object with the member of this name, replaced where there is one, and without it where `value` is an empty list.
    fileprivate func setting(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        let others = members.filter { $0.name != name }
        return .object(value == .array([]) ? others : others + [Member(name, value)])
    }
}
