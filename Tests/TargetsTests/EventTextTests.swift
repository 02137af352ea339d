import Bytes
import JSON
import Metadata
import Testing

@testable import Targets

@Suite struct EventTextTests {
    private func record(_ event: ObjectEvent, job: JobGroup? = nil) throws -> JSONValue {
        var buckets: [BucketID: Bucket] = [:]
        for id in [event.bucket] + (job?.steps ?? []).flatMap(\.files).map(\.bucket) {
            buckets[id] = Bucket(
                id: id, name: try #require(BucketName("photos".utf8)), owner: "root",
                created: Timestamp(milliseconds: 0), versioning: .enabled)
        }
        let message = EventText(region: "eu-west-1").message(
            of: event, for: [EventBinding(id: "conf", target: "webhook:x")], in: buckets, job: job)
        #expect(message.id == EventText.id(of: event))
        let records = try #require(JSONValue(parsing: message.body)?["Records"]?.array)
        return try #require(records.count == 1 ? records.first : nil)
    }

    @Test func `an event has AWS's form, with its key both encoded and as it is`() throws {
        var event = try ObjectEvent.test(300, "in/rot & grün.png", at: 1_600_000_000_123)
        event.versionID = VersionID("0123456789abcdef0123456789abcdef".utf8)
        let record = try record(event)
        #expect(record["eventVersion"] == "2.3" && record["eventSource"] == "aws:s3")
        #expect(record["awsRegion"] == "eu-west-1" && record["eventName"] == "ObjectCreated:Put")
        #expect(record["eventTime"] == "2020-09-13T12:26:40.123Z" && record["eventId"] == "000000000000012c")
        #expect(record["userIdentity"]?["principalId"] == "alice")
        #expect(record["requestParameters"]?["sourceIPAddress"] == "10.1.2.3")
        #expect(record["responseElements"]?["x-amz-request-id"] == "REQUEST1" && record["job"] == nil)
        let s3 = try #require(record["s3"])
        #expect(s3["configurationId"] == "conf" && s3["s3SchemaVersion"] == "1.0")
        #expect(s3["bucket"]?["name"] == "photos" && s3["bucket"]?["arn"] == "arn:aws:s3:::photos")
        #expect(s3["bucket"]?["ownerIdentity"]?["principalId"] == "root")
        let object = try #require(s3["object"])
        #expect(object["key"] == "in/rot+%26+gr%C3%BCn.png" && object["rawKey"] == "in/rot & grün.png")
        #expect(object["size"] == .integer(5) && object["eTag"]?.string == String(repeating: "ab", count: 16))
        #expect(object["versionId"] == "0123456789abcdef0123456789abcdef")
        #expect(object["sequencer"] == "000000000000012c")
    }

    @Test func `a removal has neither size nor ETag`() throws {
        let object = try #require(try record(try .test(1, "a", .removedDelete))["s3"]?["object"])
        #expect(object["size"] == nil && object["eTag"] == nil && object["versionId"] == nil)
    }

    @Test func `the end of a run says how it ended, with the files that it made`() throws {
        let id = JobID(at: Timestamp(milliseconds: 5))
        var event = try ObjectEvent.test(9, "a", .jobFinished)
        event.draft.requestID = id.text
        var step = JobGroup.Step(name: "sizes", kind: "variants", after: nil, proceeds: false)
        step.state = .failed
        step.reason = "no"
        let key = try #require(ObjectKey("out/a.png".utf8))
        step.files = [
            DerivedFile(
                name: "square", bucket: BucketID(8), key: key, versionID: .null, size: 3,
                contentType: Array("image/png".utf8))
        ]
        var group = JobGroup(
            id: id, event: event, hook: "conf", queue: "default", lane: [], rank: 0, steps: [step], notify: [],
            created: Timestamp(milliseconds: 5))
        group.state = .failed
        let job = try #require(try record(event, job: group)["job"])
        #expect(job["id"]?.string == String(ascii: id.text) && job["hook"] == "conf" && job["state"] == "failed")
        let shown = try #require(job["steps"]?.array?.first)
        #expect(shown["name"] == "sizes" && shown["state"] == "failed" && shown["reason"] == "no")
        #expect(
            shown["files"]?.array?.first?["key"] == "out/a.png" && shown["files"]?.array?.first?["bucket"] == "photos")
        let forgotten = try #require(try record(event)["job"])
        #expect(forgotten["id"] == job["id"] && forgotten["state"] == nil)
    }
}
