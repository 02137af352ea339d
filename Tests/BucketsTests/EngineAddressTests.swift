import Testing

@testable import Buckets

@Suite struct EngineAddressTests {
    @Test func `bucket, prefix and what the query says are read`() throws {
        let address = try EngineAddress("s3://my-bucket/a/b/?endpoint=http://10.0.0.1:8333&region=eu-west-1")
        #expect(address.bucket == "my-bucket" && address.prefix == "a/b" && address.region == "eu-west-1")
        #expect(address.hostField == "10.0.0.1:8333" && address.scheme == "http")
        #expect(address.key("0000") == "a/b/0000")
        #expect(address.path(of: "a/b/0000") == "/my-bucket/a/b/0000")
    }

    @Test func `what is left out has its usual value`() throws {
        let address = try EngineAddress("s3://bucket?region=eu-central-1")
        #expect(address.scheme == "https" && address.host == "s3.eu-central-1.amazonaws.com")
        #expect(address.key("0000") == "0000")
        let virtual = try EngineAddress("s3://bucket/p?endpoint=https%3A%2F%2Fexample.com%3A443/&style=virtual")
        #expect(virtual.hostField == "bucket.example.com" && virtual.path(of: "p/0") == "/p/0")
    }

    @Test(arguments: [
        "", "local", "s3://", "s3://ab", "s3://Bucket/p", "s3://bucket/p p", "s3://bucket//p", "s3://bucket/p?endpoint",
        "s3://bucket/p?endpoint=ftp://h", "s3://bucket/p?endpoint=http://", "s3://bucket/p?endpoint=http://h/path",
        "s3://bucket/p?region=EU", "s3://bucket/p?style=odd", "s3://bucket/p?secret=x", "s3://bucket/p?region=%zz",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: EngineAddress.Malformed.self) { try EngineAddress(text) }
    }
}
