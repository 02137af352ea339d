import Mongo
import Testing

@Suite struct BSONTests {
    @Test func `A document survives its own encoding`() throws {
        let document: BSONDocument = [
            "key": .text("photos/ümlaut.jpg"), "size": .int64(.max), "small": 7, "digest": .binary([0, 1, 254, 255]),
            "flag": true, "none": nil, "list": [1, .text([0, 0xFF])],
            "inner": ["date": .date(-1), "time": .timestamp(9)],
            "part": .double(2),
        ]
        let read = try BSONView(document.encoded())
        #expect(read["key"]?.text == [UInt8]("photos/ümlaut.jpg".utf8))
        #expect(read["size"]?.integer == Int64.max && read["small"]?.integer == 7 && read["part"]?.integer == 2)
        #expect(read["digest"]?.binary == [0, 1, 254, 255])
        #expect(read["flag"]?.isTrue == true && read["none"]?.isTrue == false)
        #expect(read["list"]?.array?.first?.integer == 1 && read["list"]?.array?.last?.text == [0, 0xFF])
        #expect(read["inner"]?.document?["date"]?.date == -1 && read["inner"]?.document?["time"]?.timestamp == 9)
        #expect(
            try BSONDocument(dictionaryLiteral: ("copy", .raw(read))).encoded().count == 4 + 6 + read.encoded.count + 1)
    }

    @Test func `The encoding is the one that BSON's specification prints`() throws {
        let document: BSONDocument = ["hello": "world"]
        #expect(
            try document.encoded()
                == [0x16, 0, 0, 0, 0x02] + Array("hello".utf8) + [0, 6, 0, 0, 0] + Array("world".utf8) + [0, 0])
    }

    @Test func `A missing name and a value of another kind read as nil`() throws {
        let read = try BSONView((["size": 7] as BSONDocument).encoded())
        #expect(read["other"] == nil && read["siz"] == nil && read["sizes"] == nil)
        #expect(read["size"]?.text == nil && read["size"]?.binary == nil && read["size"]?.document == nil)
    }

    @Test(
        arguments: [
            [], [5], [5, 0, 0, 0], [6, 0, 0, 0, 0], [255, 255, 255, 255, 0], [5, 0, 0, 0, 0, 0], [5, 0, 0, 0, 1],
            // A text that is longer than the document, one without its zero, and one of a negative length.
            [0x0e, 0, 0, 0, 0x02, 0x61, 0, 0xff, 0, 0, 0, 0x62, 0, 0],
            [0x0e, 0, 0, 0, 0x02, 0x61, 0, 2, 0, 0, 0, 0x62, 1, 0],
            [0x0e, 0, 0, 0, 0x02, 0x61, 0, 0xff, 0xff, 0xff, 0xff, 0x62, 0, 0],
            // A name without an end, an unknown kind, an inner document that ends behind the outer one.
            [0x08, 0, 0, 0, 0x0A, 0x61, 0x61, 0], [0x08, 0, 0, 0, 0x55, 0x61, 0, 0],
            [0x0d, 0, 0, 0, 0x03, 0x61, 0, 6, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func `Bytes that are no document are refused`(bytes: [UInt8]) {
        #expect(throws: MongoError.self) { try BSONView(bytes) }
    }

    @Test func `Every document cut short or changed in one byte is read or refused`() throws {
        let whole = try (["a": ["b": ["c": .text("x")]], "d": .binary([1, 2]), "e": [1, 2]] as BSONDocument).encoded()
        for count in 0..<whole.count { #expect(throws: MongoError.self) { try BSONView([UInt8](whole[..<count])) } }
        for index in whole.indices {
            for value in UInt8.min...UInt8.max {
                var bytes = whole
                bytes[index] = value
                guard let view = try? BSONView(bytes) else { continue }
                #expect(view.values.count <= bytes.count)
                _ = view["a"]?.document?["b"]?.document?["c"]?.text
            }
        }
    }

    @Test func `Documents nest as deep as a server takes them and no deeper`() throws {
        func nested(_ depth: Int) -> BSONDocument {
            var document: BSONDocument = [:]
            for _ in 1..<depth { document = ["d": .document(document)] }
            return document
        }
        _ = try BSONView(nested(100).encoded())
        #expect(throws: MongoError.self) { try nested(101).encoded() }
        var bytes: [UInt8] = [5, 0, 0, 0, 0]
        for _ in 0..<150 {
            let length = bytes.count + 8
            bytes = [UInt8(length & 0xFF), UInt8(length >> 8), 0, 0, 3, 0x64, 0] + bytes + [0]
        }
        #expect(throws: MongoError.invalidDocument("it nests too deep")) { try BSONView(bytes) }
    }
}
