import Bytes
import HTTPServer
import Metadata
import Testing

@testable import ObjectGateway

@Suite struct ReadConditionsTests {
    private let modified = Timestamp(milliseconds: 1_700_000_000_500)
    private let now = Timestamp(seconds: 1_800_000_000)

    private func version() throws -> ObjectVersion {
        ObjectVersion(
            key: try #require(ObjectKey(bytes("key"))), versionID: .null, isLatest: true, isDeleteMarker: false,
            modified: modified, sequence: 1, owner: "o", size: 1, etag: ETag(md5: [UInt8](repeating: 0xAB, count: 16)),
            attributes: ObjectAttributes(), checksum: nil, tags: [], content: .empty)
    }

    private func judge(_ fields: [(String, String)], copySource: Bool = false) throws -> ReadConditions.Verdict {
        let head = try #require(RequestHead.make(method: "GET", target: "/bucket/key", fields: fields))
        let conditions = copySource ? ReadConditions(copySourceOf: head) : ReadConditions(head)
        return conditions.judge(try version(), now: now)
    }

    @Test(arguments: [
        "*", "\"abababababababababababababababab\"", "abababababababababababababababab",
        "W/\"abababababababababababababababab\"", "\"x\" , \"abababababababababababababababab\"", "\"*\"",
    ])
    func `entity tags that match`(value: String) throws {
        #expect(try judge([("if-match", value)]) == .proceed)
        #expect(try judge([("if-none-match", value)]) == .notModified)
        #expect(try judge([("x-amz-copy-source-if-none-match", value)], copySource: true) == .notModified)
        #expect(try judge([("x-amz-copy-source-if-none-match", value)]) == .proceed)
        #expect(try judge([("if-none-match", value)], copySource: true) == .proceed)
    }

    @Test(arguments: [
        "\"ab\"", "", "\"\"", "\"ABABABABABABABABABABABABABABABAB\"", "\"abababababababababababababababab-1\"", ",",
    ])
    func `entity tags that do not match`(value: String) throws {
        #expect(try judge([("if-match", value)]) == .failed)
        #expect(try judge([("if-none-match", value)]) == .proceed)
    }

    @Test func `dates compare in whole seconds`() throws {
        func date(_ seconds: Int64) -> String { String(ascii: DateFormats.http(Timestamp(seconds: seconds))) }
        #expect(try judge([("if-modified-since", date(1_699_999_999))]) == .proceed)
        #expect(try judge([("if-modified-since", date(1_700_000_000))]) == .notModified)
        #expect(try judge([("if-modified-since", date(1_800_000_001))]) == .proceed, "a date in the future")
        #expect(try judge([("if-unmodified-since", date(1_699_999_999))]) == .failed)
        #expect(try judge([("if-unmodified-since", date(1_700_000_000))]) == .proceed)
        #expect(try judge([("if-unmodified-since", "not a date")]) == .proceed)
    }

    @Test func `no condition proceeds`() throws {
        #expect(try judge([]) == .proceed)
    }
}
