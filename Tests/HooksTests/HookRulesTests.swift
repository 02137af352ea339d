import Hooks
import JSON
import Metadata
import TestSupport
import Testing

@Suite struct HookRulesTests {
    private func rules(_ when: String, on: String = "object.created") throws -> HookRules {
        let text = #"{"hooks": [{"name": "h", "on": "\#(on)", "when": \#(when), "notify": "redis:x"}]}"#
        return HookRules(try HookConfiguration(parsing: Array(text.utf8)), revision: 1)
    }

    private func object(
        _ key: String = "uploads/a.jpg", size: UInt64 = 1000, type: String? = "image/jpeg", tags: [Metadata.Tag] = [],
        metadata: [UserMetadata] = [], customer: String? = nil
    ) -> FilteredObject {
        FilteredObject(
            key: Array(key.utf8), size: size, contentType: type.map { Array($0.utf8) }, tags: tags,
            userMetadata: metadata, customer: customer)
    }

    private func runs(_ when: String, _ object: FilteredObject) throws -> Bool {
        try !rules(when).matches(.createdPut, of: object, in: BucketID(1), from: nil).isEmpty
    }

    @Test(arguments: [
        ("{}", true), (#"{"prefix": "uploads/"}"#, true), (#"{"prefix": "Uploads/"}"#, false),
        (#"{"suffix": ".jpg"}"#, true), (#"{"suffix": ".JPG"}"#, false),
        (#"{"suffix": "longer-than-the-whole-key/uploads/a.jpg"}"#, false), (#"{"mime": "image/*"}"#, true),
        (#"{"mime": ["video/*", "IMAGE/JPEG"]}"#, true), (#"{"mime": "image/png"}"#, false),
        (#"{"type": "image"}"#, true), (#"{"type": ["audio", "video"]}"#, false), (#"{"size": {"min": 1000}}"#, true),
        (#"{"size": {"min": 1001}}"#, false), (#"{"size": {"max": "1KB"}}"#, true), (#"{"size": {"max": 999}}"#, false),
        (#"{"customer": "acme"}"#, false), (#"{"tags": ["x"]}"#, false), (#"{"metadata": {"a": "b"}}"#, false),
    ])
    func `a filter holds an object to each of its parts`(when: String, expected: Bool) throws {
        #expect(try runs(when, object()) == expected, "\(when)")
    }

    @Test func `tags, user metadata, customer and parameters of the content type are looked at`() throws {
        let full = object(
            type: "Image/JPEG; charset=x",
            tags: [Metadata.Tag(key: [97], value: [98]), Metadata.Tag(key: [99], value: [])],
            metadata: [UserMetadata(name: Array("Team".utf8), value: [98])], customer: "acme")
        #expect(
            try runs(
                #"{"tags": ["a=b", "c"], "metadata": {"team": "b"}, "customer": "acme", "mime": "image/jpeg"}"#, full))
        #expect(try !runs(#"{"tags": {"a": "other"}}"#, full))
        #expect(try !runs(#"{"metadata": {"team": "c"}}"#, full))
    }

    @Test(arguments: [
        ("object.created", EventName.createdComplete, true), ("s3:ObjectCreated:Put", .createdPut, true),
        ("s3:ObjectCreated:Put", .createdCopy, false), ("file-deleted", .removedMarker, true),
        ("s3:ObjectRemoved:Delete", .removedMarker, false), ("object.tagged", .taggingDelete, true),
        ("metadata.updated", .metadataUpdated, true), ("job.finished", .jobFinished, true),
        ("object.restored", .restored, true), ("object.created", .removedDelete, false),
    ])
    func `the words for events stand for what they say`(word: String, event: EventName, expected: Bool) throws {
        let found = try rules("{}", on: word).matches(event, of: object(), in: BucketID(1), from: nil)
        #expect(found.isEmpty != expected)
    }

    @Test func `what a hook made does not set it off again, and a chain ends at depth eight`() throws {
        let rules = try rules("{}")
        func matches(_ bucket: Int64, _ hook: String, _ depth: Int) -> [EventHook] {
            let origin = EventOrigin(bucket: BucketID(bucket), hook: hook, depth: depth)
            return rules.matches(.createdPut, of: object(), in: BucketID(1), from: origin)
        }
        #expect(matches(1, "h", 1).isEmpty)
        #expect(matches(2, "h", 1) == [EventHook(name: "h")])
        #expect(matches(1, "other", 7) == [EventHook(name: "h")])
        #expect(matches(1, "other", 8) == [EventHook(name: "h", isTooDeep: true)])
    }

    @Test func `a hook that is switched off does not run`() throws {
        let text = #"{"hooks": [{"name": "h", "enabled": false, "on": "object.created", "notify": "redis:x"}]}"#
        let rules = HookRules(try HookConfiguration(parsing: Array(text.utf8)), revision: 1)
        #expect(rules.matches(.createdPut, of: object(), in: BucketID(1), from: nil).isEmpty)
    }
}
