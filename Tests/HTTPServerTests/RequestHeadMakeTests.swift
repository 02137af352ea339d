import HTTPServer
import Testing

@Suite struct RequestHeadMakeTests {
    @Test func `a head made in process reads as one from the wire`() throws {
        let head = try #require(
            RequestHead.make(
                method: "PUT", target: "/b/k%20x?acl&x=1", fields: [("Host", "h:1"), ("X-A", "1"), ("x-a", "2")],
                body: .length(5)))
        #expect(head.method == .put)
        #expect(head.methodBytes.elementsEqual("PUT".utf8))
        #expect(head.path.elementsEqual("/b/k%20x".utf8))
        #expect(head.query?.elementsEqual("acl&x=1".utf8) == true)
        #expect(head.first("host")?.elementsEqual("h:1".utf8) == true)
        #expect(head.count(of: "x-a") == 2)
        #expect(head.body == .length(5))
    }

    @Test func `a question mark alone is an empty query, none is none`() throws {
        #expect(RequestHead.make(method: "GET", target: "/?")?.query?.isEmpty == true)
        #expect(RequestHead.make(method: "GET", target: "/")?.query == nil)
        #expect(RequestHead.make(method: "PURGE", target: "/")?.method == .other)
    }

    @Test(arguments: ["", " /", "k", "/a b", "/a\r\n", "/\u{0}", "/\u{7F}"])
    func `a target outside the grammar is refused`(_ target: String) {
        #expect(RequestHead.make(method: "GET", target: target) == nil)
    }

    @Test(arguments: [
        ("", "v"), ("a b", "v"), ("a:", "v"), ("a", "v\r\nx: y"), ("a", "v\n"), ("a", "\u{0}"), ("a", " v"),
        ("a", "v\t"),
    ]) func `a field outside the grammar is refused`(_ name: String, _ value: String) {
        #expect(RequestHead.make(method: "GET", target: "/", fields: [(name, value)]) == nil)
    }

    @Test func `a method that is no token is refused`() {
        #expect(RequestHead.make(method: "", target: "/") == nil)
        #expect(RequestHead.make(method: "G T", target: "/") == nil)
    }
}
