import Hooks
import Metadata

extension JobEngine {
    /// Throws 409 where the hooks or bindings of a bucket name what is called `name`.
    func refuseNamed(
        _ name: String, _ metadata: any MetadataStore, _ isNamed: (HookConfiguration) -> Bool
    ) async throws {
        var after: BucketName?
        while true {
            let page = try await metadata.buckets(after: after, prefix: [], limit: 1000)
            for bucket in page {
                guard let rules = try await hooks.rules(of: bucket.id), isNamed(rules.configuration) else {
                    continue
                }
                throw ObjectGateway.Problem(
                    409, "Conflict", "The hooks of the bucket \(bucket.name) name \(name): change them first.")
            }
            guard page.count == 1000, let last = page.last else { return }
            after = last.name
        }
    }
}
