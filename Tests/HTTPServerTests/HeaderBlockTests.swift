import HTTPServer
import Testing

struct HeaderBlockTests {
    @Test func `fields are written in the order they were added`() {
        var headers = HeaderBlock()
        headers.add("ETag", "\"a\"")
        headers.add("Content-Length", 12)
        headers.add(name: "x-amz-meta-a".utf8, "b".utf8)
        #expect(text(headers.encoded) == "ETag: \"a\"\r\nContent-Length: 12\r\nx-amz-meta-a: b\r\n")
    }

    @Test func `a value never ends its line`() {
        var headers = HeaderBlock()
        headers.add("Location", "/a\r\nSet-Cookie: b\nc\0d")
        #expect(text(headers.encoded) == "Location: /a  Set-Cookie: b c d\r\n")
    }

    @Test(arguments: ["", "a b", "a:b", "a\r\nb", "ä"])
    func `a name that is no token adds nothing`(name: String) {
        var headers = HeaderBlock()
        headers.add(name: name.utf8, "v".utf8)
        #expect(headers.encoded.isEmpty)
    }
}
