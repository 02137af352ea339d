import Hooks
import JSON
import Metadata
import Targets
import Testing
import XML

@testable import ObjectGateway

@Suite struct PutBucketNotificationConfigurationTests {
    static let arn = "arn:aws:lambda:us-east-1:000000000000:function:"

    /// Hooks `own`, of its own events, and `bound`, of none.
    static func setHooks(_ fixture: GatewayFixture) async throws {
        let text = bytes(
            #"""
            {"hooks": [
              {"name": "own", "on": "object.removed", "steps": {"a": {"deliver": "https://example.com/"}}},
              {"name": "bound", "on": [], "steps": {"a": {"probe": true}}}]}
            """#)
        _ = try await fixture.jobs.setHooks(
            try HookConfiguration(parsing: text), document: text, of: try await fixture.bucket().id)
    }

    static func put(_ inner: String, _ fixture: GatewayFixture) async throws -> Answer {
        try await fixture.send(
            "PUT", "/bucket", "notification",
            body: bytes(
                "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(inner)</NotificationConfiguration>"
            ))
    }

    static func function(_ hook: String, _ events: [String], _ more: String = "") -> String {
        let events = events.map { "<Event>\($0)</Event>" }.joined()
        return
            "<CloudFunctionConfiguration><CloudFunction>\(arn)\(hook)</CloudFunction>\(events)\(more)</CloudFunctionConfiguration>"
    }

    static let filter = """
        <Filter><S3Key><FilterRule><Name>Prefix</Name><Value>in/</Value></FilterRule>\
        <FilterRule><Name>suffix</Name><Value>.png</Value></FilterRule></S3Key></Filter>
        """

    @Test func `events set off the hook that they are bound to, for its keys, until they are bound no more`()
        async throws
    {
        let fixture = try await GatewayFixture()
        try await Self.setHooks(fixture)
        #expect(
            try await Self.put(Self.function("bound", ["s3:ObjectCreated:Put"], Self.filter), fixture).status == 200)
        for key in ["in/a.png", "in/a.gif", "out/a.png"] { try await fixture.put(key) }
        #expect(
            try await fixture.send("PUT", "/bucket/in/b.png", headers: [("x-amz-copy-source", "bucket/in/a.png")])
                .status == 200)
        try await fixture.delete("in/a.png")
        var events = try await fixture.store.events(after: 0, limit: 10)
        #expect(events.map(\.key.text) == ["in/a.png", "in/a.png"])
        #expect(events.map { $0.draft.hooks.map(\.name) } == [["bound"], ["own"]])
        #expect(try await Self.put("", fixture).status == 200)
        try await fixture.put("in/a.png")
        events = try await fixture.store.events(after: 0, limit: 10)
        #expect(events.count == 2)
        // The hooks are still there.
        #expect(try await fixture.jobs.hooks.rules(of: try await fixture.bucket().id)?.configuration.hooks.count == 2)
    }

    static func target(_ kind: String, _ arn: String, _ events: [String], _ more: String = "") -> String {
        let events = events.map { "<Event>\($0)</Event>" }.joined()
        return "<\(kind)Configuration><Id>\(kind)</Id><\(kind)>\(arn)</\(kind)>\(events)\(more)</\(kind)Configuration>"
    }

    @Test func `targets are told of the events that they are bound to, as queues, topics, or in MinIO's form`()
        async throws
    {
        let fixture = try await GatewayFixture()
        for name in ["webhook:cms", "redis:a-b"] {
            let isWebhook = name == "webhook:cms"
            try await fixture.targets.set(
                try #require(TargetName(name)),
                isWebhook ? ["url": "https://cms.example/"] : ["url": "redis://r", "key": "k"])
        }
        let account = HookARN.account
        let inner =
            Self.target("Queue", "arn:aws:sqs:us-east-1:\(account):webhook-cms", ["s3:ObjectCreated:*"], Self.filter)
            + Self.target("Topic", "arn:aws:sns:us-east-1:\(account):redis-a-b", ["s3:ObjectCreated:Put"])
        #expect(try await Self.put(inner, fixture).status == 200)
        for key in ["in/a.png", "b"] { try await fixture.put(key) }
        var events = try await fixture.store.events(after: 0, limit: 10)
        #expect(events.map { $0.draft.bindings.map(\.target) } == [["webhook:cms", "redis:a-b"], ["redis:a-b"]])
        #expect(events.allSatisfy { $0.draft.hooks.isEmpty } && events[1].draft.bindings.map(\.id) == ["Topic"])
        let shown = try await fixture.send("GET", "/bucket", "notification").text
        #expect(shown.contains("<Queue>arn:aws:sqs:us-east-1:\(account):webhook-cms</Queue>"), "\(shown)")
        #expect(shown.contains("<Topic>arn:aws:sns:us-east-1:\(account):redis-a-b</Topic>"), "\(shown)")
        let minio = Self.target("Queue", "arn:minio:sqs::cms:webhook", ["s3:ObjectRemoved:*"])
        #expect(try await Self.put(minio, fixture).status == 200)
        try await fixture.put("c")
        try await fixture.delete("c")
        events = try await fixture.store.events(after: 0, limit: 10)
        #expect(events.count == 3 && events.last?.draft.bindings.map(\.target) == ["webhook:cms"])
        for arn in ["arn:aws:sqs:us-east-1:\(account):webhook-other", "arn:aws:sqs:us-east-1:1:webhook-cms", "x"] {
            let answer = try await Self.put(Self.target("Queue", arn, ["s3:ObjectCreated:*"]), fixture)
            #expect(answer.code == "InvalidArgument", "\(arn): \(answer)")
        }
    }

    @Test func `what no hook or event of the bucket is named by is refused, and changes nothing`() async throws {
        let fixture = try await GatewayFixture()
        try await Self.setHooks(fixture)
        let bound = Self.function("bound", ["s3:ObjectCreated:*"])
        #expect(try await Self.put(bound, fixture).status == 200)
        for (inner, code) in [
            (Self.function("nobody", ["s3:ObjectCreated:*"]), "InvalidArgument"),
            (Self.function("bound", ["s3:ObjectRemoved:*"]), "InvalidArgument"),
            (Self.function("bound", ["object.created"]), "InvalidArgument"),
            (Self.function("bound", ["s3:Replication:*"]), "InvalidArgument"),
            (Self.function("bound", []), "MalformedXML"),
            (
                "<QueueConfiguration><Queue>arn:aws:sqs:us-east-1:000000000000:q</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>",
                "InvalidArgument"
            ),
            (
                "<CloudFunctionConfiguration><CloudFunction>x</CloudFunction><Event>s3:ObjectCreated:*</Event></CloudFunctionConfiguration>",
                "InvalidArgument"
            ),
            ("<EventBridgeConfiguration/>", "NotImplemented"),
        ] {
            let answer = try await Self.put(inner, fixture)
            #expect(answer.code == code, "\(inner): \(answer)")
        }
        #expect(
            try await fixture.jobs.hooks.rules(of: try await fixture.bucket().id)?.configuration.bindings.map(\.hook)
                == ["bound"])
    }
}
