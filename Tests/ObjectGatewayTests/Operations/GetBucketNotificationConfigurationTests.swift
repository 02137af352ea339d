import Testing
import XML

@testable import ObjectGateway

@Suite struct GetBucketNotificationConfigurationTests {
    @Test func `a bucket without bindings has an empty configuration, one with some shows what was put`() async throws {
        let fixture = try await GatewayFixture()
        let empty = try await fixture.send("GET", "/bucket", "notification").xml("NotificationConfiguration")
        #expect(empty.children.isEmpty)
        try await PutBucketNotificationConfigurationTests.setHooks(fixture)
        let put = PutBucketNotificationConfigurationTests.function(
            "bound", ["s3:ObjectCreated:*", "s3:ObjectTagging:Put"],
            "<Id>first</Id>" + PutBucketNotificationConfigurationTests.filter)
        #expect(try await PutBucketNotificationConfigurationTests.put(put, fixture).status == 200)
        let shown = try await fixture.send("GET", "/bucket", "notification").xml("NotificationConfiguration")
        let function = try #require(shown.child("CloudFunctionConfiguration"))
        func text(_ element: XMLElement?) -> String? { element.map { String(decoding: $0.text, as: UTF8.self) } }
        #expect(text(function.child("Id")) == "first")
        #expect(text(function.child("CloudFunction")) == PutBucketNotificationConfigurationTests.arn + "bound")
        #expect(function.children("Event").map { text($0) } == ["s3:ObjectCreated:*", "s3:ObjectTagging:Put"])
        let rules = function.child("Filter")?.child("S3Key")?.children("FilterRule") ?? []
        #expect(rules.map { text($0.child("Name")) } == ["prefix", "suffix"])
        #expect(rules.map { text($0.child("Value")) } == ["in/", ".png"])
    }
}
