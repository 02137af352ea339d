import TestSupport
import Testing

extension EndToEnd {
    /// Each case is a function of that name in Clients/minio_client.py.
    @Suite struct MinioPy {
        @Test(arguments: ["objects", "multipart", "listing", "copies", "presigned", "versions", "tags", "bulk_removal"])
        func `minio-py sees what it expects`(name: String) async throws {
            try await Client("python").run(Clients.path("minio_client.py"), name)
        }
    }
}
