import Metadata
import Testing
import XML

@testable import ObjectGateway

@Suite struct TagSetTests {
    private func code(_ body: () throws -> [Metadata.Tag]) -> S3ErrorCode? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? S3Error)?.code }
    }

    private func header(_ text: String) throws -> [Metadata.Tag] { try TagSet.parse(query: bytes(text)[...]) }

    @Test func `the form of the header is that of a query`() throws {
        #expect(
            try header("a=1&b+c=%C3%BC&d") == [
                Metadata.Tag(key: bytes("a"), value: bytes("1")), Metadata.Tag(key: bytes("b c"), value: bytes("ü")),
                Metadata.Tag(key: bytes("d"), value: []),
            ])
    }

    @Test(arguments: [
        ("a=1&a=2", S3ErrorCode.invalidArgument), ("a=%zz", .invalidArgument), ("=1", .invalidTag),
        ("a=%FF", .invalidTag), ("%FF=a", .invalidTag),
    ])
    func `what cannot be tags is refused`(text: String, code: S3ErrorCode) {
        #expect(self.code { try header(text) } == code)
    }

    @Test func `lengths count characters, not bytes`() {
        let key = String(repeating: "日", count: 128)
        let value = String(repeating: "🙂", count: 256)
        func encode(_ text: String) -> String { encoded(text) }
        #expect(code { try header("\(encode(key))=\(encode(value))") } == nil)
        #expect(code { try header("\(encode(key + "x"))=") } == .invalidTag)
        #expect(code { try header("a=\(encode(value + "x"))") } == .invalidTag)
    }

    @Test func `a document needs its elements`() throws {
        let good = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
        #expect(try TagSet.parse(XMLDocument.parse(bytes(good))) == [Metadata.Tag(key: bytes("a"), value: bytes("1"))])
        for text in ["<TagSet/>", "<Tagging/>", "<Tagging><TagSet><Tag><Value>1</Value></Tag></TagSet></Tagging>"] {
            #expect(code { try TagSet.parse(XMLDocument.parse(bytes(text))) } == .malformedXML)
        }
    }
}
