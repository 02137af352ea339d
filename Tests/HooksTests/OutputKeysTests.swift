import Bytes
import Hooks
import JSON
import Metadata
import Testing

@Suite struct OutputKeysTests {
    private func event(_ key: String, version: VersionID? = .id(Array("0123456789abcdef0123456789abcdef".utf8))) throws
        -> ObjectEvent
    {
        let bucket = try #require(BucketName("photos".utf8))
        return ObjectEvent(
            position: 1, moment: Timestamp(milliseconds: 0), bucket: BucketID(1),
            key: try #require(ObjectKey(key.utf8)),
            versionID: version, sequence: 0x1f, size: 1, etag: nil,
            draft: EventDraft(name: .createdPut, bucketName: bucket, principal: "alice", customer: nil, revision: 1))
    }

    private func place(_ pattern: String) throws -> OutputPlace {
        var place = OutputPlace()
        place.pattern = pattern
        return place
    }

    private func keys(_ place: OutputPlace, _ event: ObjectEvent, _ names: [String]) throws -> [String] {
        try OutputKeys(place, event: event, step: "mark").keys(of: names) { Array($0.prefix(2)) }.map(\.text)
    }

    @Test func `a file's key is made of its source, its step and its name`() throws {
        #expect(
            try keys(OutputPlace(), try event("a/b.jpg"), ["square.jpg", "wide.webp"]) == [
                "photos/a/b.jpg/0123456789abcdef0123456789abcdef/mark/square.jpg",
                "photos/a/b.jpg/0123456789abcdef0123456789abcdef/mark/wide.webp",
            ])
        #expect(
            try keys(try place("out/{stem}-{step}.bin"), try event("k"), ["a.b.jpg", ".x"]) == [
                "out/a.b-mark.bin", "out/.x-mark.bin",
            ])
    }

    @Test func `an object that is replaced in place has other keys than the one before`() throws {
        let first = try keys(OutputPlace(), try event("k", version: .null), ["n"])
        #expect(first == ["photos/k/000000000000001f/mark/n"])
    }

    @Test func `the digest of a key that leaves no room stands in its place`() throws {
        let long = String(repeating: "k", count: 1024)
        let made = try keys(OutputPlace(), try event(long), ["n"])
        #expect(made == ["photos/6b6b/0123456789abcdef0123456789abcdef/mark/n"])
    }

    @Test func `two files of one key are refused, and so is a name that no key has room for`() throws {
        #expect(throws: OutputKeys.Fault.twice(key: "a")) {
            try OutputKeys(try place("{stem}"), event: try event("k"), step: "s").keys(of: ["a.jpg", "a.png"]) { $0 }
        }
        let name = String(repeating: "n", count: 1025)
        #expect(throws: OutputKeys.Fault.tooLong(name: name)) {
            try OutputKeys(try place("{name}"), event: try event("k"), step: "s").keys(of: [name]) { $0 }
        }
    }
}
