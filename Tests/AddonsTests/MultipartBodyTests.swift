import JSON
import Testing

@testable import Addons

@Suite struct MultipartBodyTests {
    private static let form = """
        --B\r\ncontent-disposition: form-data; name="metadata"\r\n\r\n{"a": 1}\r\n--B\r
        Content-Disposition: form-data; name="file"; filename="x \\"1\\".bin"\r\nContent-Type: image/png\r\n\r
        one\r\n--Bored\r\ntwo\r\n--B--\r\n
        """

    private func parse(_ text: some Sequence<UInt8>) throws -> [MultipartBody.Part] {
        try MultipartBody(Array(text), boundary: Array("B".utf8)).parts
    }

    @Test func `fields and files are told apart, and content may hold what looks like a boundary`() throws {
        let whole = Self.form.replacing("--Bored", with: "-B-ored")
        let parts = try parse(whole.utf8)
        #expect(parts.map(\.name) == ["metadata", "file"])
        #expect(parts[0].fileName == nil && Array(parts[0].content) == Array(#"{"a": 1}"#.utf8))
        #expect(parts[1].fileName == #"x "1".bin"# && parts[1].contentType == "image/png")
        #expect(Array(parts[1].content) == Array("one\r\n-B-ored\r\ntwo".utf8))
        #expect(try parse(Array("preamble\r\n".utf8) + whole.utf8).count == 2)
    }

    @Test func `a body that is cut anywhere is refused, and none of its bytes traps`() throws {
        let whole = Array(Self.form.replacing("--Bored", with: "-B-ored").utf8)
        let end = whole.count - "--\r\n".utf8.count
        for count in 0..<end {
            #expect(throws: MultipartBody.Malformed.self) { try parse(whole[..<count]) }
        }
        for place in whole.indices {
            var changed = whole
            changed[place] ^= 0x20
            _ = try? parse(changed)
            changed.remove(at: place)
            _ = try? parse(changed)
        }
    }

    @Test(
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"), ("Multipart/Form-Data; charset=x; Boundary=\"a b\"", nil),
            ("multipart/form-data; boundary=\"a:b\"", "a:b"), ("multipart/mixed; boundary=abc", nil),
            ("multipart/form-data", nil), ("multipart/form-data; boundary=", nil), ("application/json", nil),
        ] as [(String, String?)])
    func `the boundary is read from the content type`(type: String, boundary: String?) {
        #expect(MultipartBody.boundary(of: Array(type.utf8)) == boundary.map { Array($0.utf8) })
    }

    @Test func `a form answers with its metadata and files`() throws {
        let text = Self.form.replacing("--Bored", with: "-B-ored")
        let answer = try AddonAnswer(form: try MultipartBody(Array(text.utf8), boundary: Array("B".utf8)))
        #expect(answer.metadata == ["a": .integer(1)] && answer.files.count == 1)
        let bad = text.replacing(#"{"a": 1}"#, with: "{")
        #expect(throws: MultipartBody.Malformed.self) {
            try AddonAnswer(form: try MultipartBody(Array(bad.utf8), boundary: Array("B".utf8)))
        }
    }
}
