import TestSupport
import Testing

/// The same clients over TLS, where SDKs sign and send otherwise: unsigned payloads with a checksum in the trailer.
@Suite(.runningGatewayOverTLS) struct EndToEndOverTLS {
    @Test func `aws-cli uploads and downloads in parts`() async throws {
        let aws = try Client("aws")
        let bucket = Client.bucket("tls")
        try aws.makeFile("file", bytes: 20_000_000)
        try await aws.run("s3", "mb", "s3://\(bucket)")
        try await aws.run("s3", "cp", "--no-progress", "file", "s3://\(bucket)/file")
        try await aws.run("s3", "cp", "--no-progress", "s3://\(bucket)/file", "back")
        try aws.expectSame("file", "back")
    }

    @Test(arguments: [
        "put_get_list_delete", "ranges", "multipart", "copies", "checksums", "multipart_checksums", "presigned",
        "conditional_writes", "odd_keys",
    ])
    func `boto3 sees what AWS does`(name: String) async throws {
        try await Client("python").run(Clients.path("boto3_client.py"), name)
    }

    @Test func `minio-py, s5cmd and rclone trust the certificate they are given`() async throws {
        try await Client("python").run(Clients.path("minio_client.py"), "objects")
        let s5cmd = try Client("s5cmd") { ["S3_ENDPOINT_URL": $0.endpoint] }
        let bucket = Client.bucket("tls")
        try s5cmd.makeFile("file", bytes: 7_000_000)
        try await s5cmd.run("mb", "s3://\(bucket)")
        try await s5cmd.run("cp", "--part-size", "5", "file", "s3://\(bucket)/file")
        try await s5cmd.run("cp", "s3://\(bucket)/file", "back")
        try s5cmd.expectSame("file", "back")
    }

    @Test func `curl refuses a certificate that it does not know`() async throws {
        let curl = try Client("curl") { _ in ["CURL_CA_BUNDLE": "/dev/null"] }
        #expect(try await curl.fail("-sS", curl.gateway.endpoint).contains("certificate"))
    }
}
