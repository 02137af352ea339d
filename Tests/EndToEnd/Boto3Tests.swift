import TestSupport
import Testing

extension EndToEnd {
    /// Each case is a function of that name in Clients/boto3_client.py.
    @Suite struct Boto3 {
        @Test(arguments: [
            "put_get_list_delete", "metadata_and_headers", "ranges", "multipart", "multipart_by_hand", "large_upload",
            "copies", "versions", "null_versions", "conditional_writes", "conditional_reads", "one_winner",
            "checksums", "multipart_checksums", "wrong_digests", "object_attributes", "tagging", "odd_keys",
            "listing", "list_pages", "list_v1", "presigned", "virtual_host", "errors",
        ])
        func `boto3 sees what AWS does`(name: String) async throws {
            try await Client("python").run(Clients.path("boto3_client.py"), name)
        }
    }
}
