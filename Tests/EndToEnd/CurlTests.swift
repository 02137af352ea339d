import TestSupport
import Testing

extension EndToEnd {
    /// The protocol as curl speaks it, without an SDK's repairs.
    @Suite struct Curl {
        let curl: Client
        let aws: Client
        let bucket = Client.bucket("curl")

        init() throws {
            curl = try Client("curl")
            aws = try Client("aws")
        }

        @Test func `curl signs requests itself`() async throws {
            let key = "\(curl.gateway.accessKey):\(curl.gateway.secretKey)"
            let signed = ["-sS", "-f", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", key]
            let base = "\(curl.gateway.endpoint)/\(bucket)"
            try curl.folder.write("file", "content".utf8)
            let payload = "x-amz-content-sha256: UNSIGNED-PAYLOAD"
            try await curl.run(all: signed + ["-H", payload, "-X", "PUT", base])
            try await curl.run(all: signed + ["-H", payload, "-T", "file", "\(base)/key"])
            #expect(try await curl.run(all: signed + ["-H", payload, "\(base)/key"]) == "content")
            #expect(try await curl.run(all: signed + ["-H", payload, "-r", "1-3", "\(base)/key"]) == "ont")
        }

        @Test func `Anonymous requests are refused with S3's error document`() async throws {
            try await aws.run("s3", "mb", "s3://\(bucket)")
            for path in ["", bucket, "\(bucket)/key", "no-such-bucket/key"] {
                let answer = try await curl.run(
                    "-s", "-w", "\n%{http_code} %{content_type}", "\(curl.gateway.endpoint)/\(path)")
                #expect(answer.hasSuffix("403 application/xml"))
                #expect(answer.contains("<Code>AccessDenied</Code>"))
                #expect(answer.contains("<RequestId>"))
            }
            let put = try await curl.run(
                "-s", "-o", "answer", "-w", "%{http_code}", "-X", "PUT", "-d", "x",
                "\(curl.gateway.endpoint)/\(bucket)/key")
            #expect(put == "403")
        }

        @Test func `A refused upload with Expect is refused before its body is sent`() async throws {
            try curl.makeFile("large", bytes: 50_000_000)
            let answer = try await curl.run(
                "-s", "-o", "answer", "-w", "%{http_code} %{size_upload}", "--expect100-timeout", "30", "-H",
                "Expect: 100-continue", "-T", "large", "\(curl.gateway.endpoint)/\(bucket)/key")
            #expect(answer == "403 0")
        }

        @Test func `An unknown access key and a wrong secret have AWS's codes`() async throws {
            for (key, code) in [
                ("NOSUCHKEY:\(curl.gateway.secretKey)", "InvalidAccessKeyId"),
                ("\(curl.gateway.accessKey):wrong", "SignatureDoesNotMatch"),
            ] {
                let answer = try await curl.run(
                    "-s", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u",
                    key,
                    "\(curl.gateway.endpoint)/")
                #expect(answer.contains("<Code>\(code)</Code>"))
            }
        }

        @Test func `The services listener tells health and metrics`() async throws {
            guard let services = curl.gateway.services else { return }
            for path in ["health/live", "health/ready"] {
                #expect(
                    try await curl.run("-s", "-o", "answer", "-w", "%{http_code}", "http://\(services)/\(path)")
                        == "200")
            }
            try await aws.run("s3", "ls")
            let metrics = try await curl.run("-sSf", "http://\(services)/metrics")
            #expect(metrics.contains("# TYPE "))
            #expect(metrics.contains("ListBuckets"))
            #expect(try await curl.run("-sSf", "http://\(services)/openapi.json").contains("\"openapi\""))
        }
    }
}
