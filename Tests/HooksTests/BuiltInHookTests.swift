import Bytes
import Hooks
import Metadata
import Testing

@Suite struct BuiltInHookTests {
    private func bucket(_ name: String = "image-assets", assets: Bool? = nil) throws -> Bucket {
        Bucket(
            id: BucketID(1), name: try #require(BucketName(name.utf8)), owner: "root",
            created: Timestamp(milliseconds: 0), versioning: .enabled, assets: assets)
    }

    private func hooks(
        _ rules: HookRules, _ bucket: Bucket, _ event: EventName = .createdPut, key: String = "a.jpg",
        size: UInt64 = 10, type: String = "image/jpeg", origin: EventOrigin? = nil
    ) -> [String] {
        let object = FilteredObject(
            key: Array(key.utf8), size: size, contentType: Array(type.utf8), tags: [], userMetadata: [], customer: nil)
        let draft = rules.draft(event, of: object, in: bucket, because: EventCause(principal: "p", origin: origin))
        return draft?.hooks.map(\.name) ?? []
    }

    @Test func `each new version of an asset is probed, and nothing else`() throws {
        let assets = try bucket()
        #expect(hooks(.none, assets) == ["@probe"] && hooks(.none, assets, .createdComplete) == ["@probe"])
        #expect(hooks(.none, assets, .restored) == ["@probe"])
        #expect(hooks(.none, assets, .removedMarker).isEmpty && hooks(.none, assets, .taggingPut).isEmpty)
        #expect(hooks(.none, try bucket("photos")).isEmpty)
        #expect(hooks(.none, try bucket("photos", assets: true)) == ["@probe"])
        #expect(hooks(.none, try bucket(assets: false)).isEmpty)
        #expect(HookRules.none.waits(for: [.createdPut], in: assets))
        #expect(!HookRules.none.waits(for: [.removedDelete], in: assets))
        #expect(!HookRules.none.waits(for: [.createdPut], in: try bucket("photos")))
        // What other hooks made is probed too, however long their chain is.
        #expect(
            hooks(.none, assets, origin: EventOrigin(bucket: BucketID(1), hook: "h", depth: 8)) == ["@probe"])
    }

    @Test func `a file of which nothing could be told costs nothing`() throws {
        let assets = try bucket()
        #expect(hooks(.none, assets, size: 0).isEmpty)
        #expect(hooks(.none, assets, size: 129 << 20, type: "application/pdf").isEmpty)
        #expect(hooks(.none, assets, size: 129 << 20, type: "video/mp4") == ["@probe"])
        #expect(hooks(.none, assets, size: 5 << 30, type: "video/mp4").isEmpty)
    }

    @Test func `a bucket may do without the probe, and names of built-in hooks are nobody's`() throws {
        func rules(_ text: String) throws -> HookRules {
            HookRules(try HookConfiguration(parsing: Array(text.utf8)), revision: 1)
        }
        #expect(hooks(try rules(#"{"probe": false}"#), try bucket()).isEmpty)
        #expect(hooks(try rules(#"{"hooks": []}"#), try bucket()) == ["@probe"])
        #expect(throws: (any Error).self) {
            try rules(#"{"hooks": [{"name": "@probe", "on": "object.created", "steps": {"a": {"probe": true}}}]}"#)
        }
        #expect(BuiltInHook("@variant/small") == .variant("small") && BuiltInHook("probe") == nil)
        for hook in [BuiltInHook.probe, .variant("small")] { #expect(BuiltInHook(hook.name) == hook) }
    }
}
