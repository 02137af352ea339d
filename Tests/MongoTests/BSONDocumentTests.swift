import Mongo
import Testing

@Suite struct BSONDocumentTests {
    @Test func `A document survives its own encoding`() throws {
        let document = BSONDocument()
        try document.append("key", "photos/ümlaut.jpg")
        try document.append("size", Int64.max)
        try document.append("digest", bytes: [0, 1, 254, 255])

        let copy = try BSONDocument.decode(document.encoded)
        #expect(copy.text("key") == "photos/ümlaut.jpg")
        #expect(copy.integer("size") == Int64.max)
        #expect(copy.bytes("digest") == [0, 1, 254, 255])
        #expect(copy.encoded == document.encoded)
    }

    @Test func `The encoding is the one that BSON's specification prints`() throws {
        let document = BSONDocument()
        try document.append("hello", "world")
        #expect(
            document.encoded
                == [0x16, 0, 0, 0, 0x02] + Array("hello".utf8) + [0, 6, 0, 0, 0] + Array("world".utf8) + [0, 0])
    }

    @Test func `A missing key and a value of another kind read as nil`() throws {
        let document = BSONDocument()
        try document.append("size", 7)
        #expect(document.integer("other") == nil)
        #expect(document.text("size") == nil)
        #expect(document.bytes("size") == nil)
    }

    @Test func `Text that is not UTF-8 reads as nil`() throws {
        let document = try BSONDocument.decode([0x0e, 0, 0, 0, 0x02, 0x61, 0, 2, 0, 0, 0, 0xff, 0, 0])
        #expect(document.text("a") == nil)
    }

    @Test(
        arguments: [
            [], [5], [5, 0, 0, 0], [6, 0, 0, 0, 0], [255, 255, 255, 255, 0],
            // An element whose text is longer than the document.
            [0x0e, 0, 0, 0, 0x02, 0x61, 0, 0xff, 0, 0, 0, 0x62, 0, 0],
        ] as [[UInt8]])
    func `Bytes that are no document are refused`(bytes: [UInt8]) {
        #expect(throws: MongoError.self) { try BSONDocument.decode(bytes) }
    }
}
