import HTTPServer
import Hooks
import Metadata
import Policies

/// API/GetBucketNotificationConfiguration: which events are bound to which hooks and targets, beside what the hooks say themselves.
struct GetBucketNotificationConfiguration: S3Operation {
    static let route = OperationRoute(
        name: "GetBucketNotificationConfiguration", method: .get, scope: .bucket, parameters: ["notification"],
        action: .getBucketNotification)

    struct Output: Sendable {
        var bindings: [HookBinding]
        var region: String
    }

    let services: Services
    init(_ services: Services) { self.services = services }

    static func decode(_ request: S3Request) async throws -> BucketName { try request.bucketName() }

    func run(_ input: BucketName, as caller: Caller) async throws -> Output {
        let rules = try await services.rules(of: try await services.bucket(input))
        return Output(bindings: rules?.configuration.bindings ?? [], region: services.configuration.region)
    }

    static func encode(_ output: Output) -> Response {
        var xml = S3Document("NotificationConfiguration")
        for binding in output.bindings {
            let (kind, place, arn) = names(binding.destination, region: output.region)
            xml.open(kind)
            xml.element("Id", binding.id)
            xml.element(place, arn)
            for word in binding.words { xml.element("Event", word) }
            let rules: [(name: StaticString, value: String)] = [
                ("prefix", binding.prefix), ("suffix", binding.suffix),
            ].filter { !$0.1.isEmpty }
            if !rules.isEmpty {
                xml.open("Filter")
                xml.open("S3Key")
                for rule in rules {
                    xml.open("FilterRule")
                    xml.element("Name", rule.name)
                    xml.element("Value", rule.value)
                    xml.close("FilterRule")
                }
                xml.close("S3Key")
                xml.close("Filter")
            }
            xml.close(kind)
        }
        return xml.response()
    }

    private static func names(
        _ destination: HookBinding.Destination, region: String
    ) -> (kind: StaticString, place: StaticString, arn: String) {
        switch destination {
        case .hook(let name): ("CloudFunctionConfiguration", "CloudFunction", HookARN.text(of: name, region: region))
        case .target(let name, isTopic: false):
            ("QueueConfiguration", "Queue", TargetARN.text(of: name, isTopic: false, region: region))
        case .target(let name, isTopic: true):
            ("TopicConfiguration", "Topic", TargetARN.text(of: name, isTopic: true, region: region))
        }
    }
}
