import Testing
import XML

@Suite struct XMLDocumentTests {
    private func parse(_ text: String, limits: XMLLimits = XMLLimits()) throws -> XMLElement {
        try XMLDocument.parse([UInt8](text.utf8), limits: limits)
    }

    private func failure(_ text: String, limits: XMLLimits = XMLLimits()) -> XMLError? {
        do throws(XMLError) {
            _ = try XMLDocument.parse([UInt8](text.utf8), limits: limits)
            return nil
        } catch { return error }
    }

    @Test func `names come without prefix, namespaces beside them`() throws {
        let root = try parse(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/" xmlns:x="urn:x">
              <Object><Key>a/b &amp; c</Key><VersionId>1</VersionId></Object>
              <!-- a comment --><Object><x:Key x:kind="odd" plain="yes"><![CDATA[<raw>]]>&#x41;</x:Key></Object>
              <Quiet>true</Quiet>
            </Delete>
            """)
        #expect(root.isNamed("Delete"))
        #expect(String(decoding: root.namespace, as: UTF8.self) == "http://s3.amazonaws.com/doc/2006-03-01/")
        let objects = root.children("Object")
        #expect(objects.count == 2)
        #expect(objects.first?.text(of: "Key") == [UInt8]("a/b & c".utf8))
        #expect(objects.last?.text(of: "Key") == [UInt8]("<raw>A".utf8))
        #expect(objects.last?.child("Key")?.attribute("kind") == [UInt8]("odd".utf8))
        #expect(objects.last?.child("Key")?.attribute("plain") == [UInt8]("yes".utf8))
        #expect(String(decoding: objects.last?.child("Key")?.namespace ?? [], as: UTF8.self) == "urn:x")
        #expect(root.text(of: "Quiet") == [UInt8]("true".utf8))
        #expect(root.child("Missing") == nil)
        #expect(root.attribute("xmlns") == nil)
    }

    @Test func `text around children is joined`() throws {
        #expect(try parse("<a>x<b/>y<b/>z</a>").text == [UInt8]("xyz".utf8))
    }

    @Test func `a document without namespaces has empty ones`() throws {
        let root = try parse("<a b='1'/>")
        #expect(root.namespace.isEmpty)
        #expect(root.attribute("b") == [UInt8]("1".utf8))
    }

    @Test func `UTF-16 and ISO-8859-1 come out as UTF-8`() throws {
        let latin = [UInt8]("<?xml version='1.0' encoding='ISO-8859-1'?><a>".utf8) + [0xE4] + [UInt8]("</a>".utf8)
        #expect(try XMLDocument.parse(latin).text == [0xC3, 0xA4])
        let wide: [UInt8] = [0xFE, 0xFF] + "<a>ä</a>".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        #expect(try XMLDocument.parse(wide).text == [0xC3, 0xA4])
    }

    @Test(arguments: [
        "", " ", "<a>", "<a></b>", "<a/><b/>", "text", "<a b=1/>", "<a b='1' b='2'/>", "<a>&undefined;</a>",
        "<a>&#0;</a>",
        "<a>\u{1}</a>", "<x:a/>", "<a><", "<?xml version='1.0' encoding='nonsense'?><a/>", "<a>]]></a>", "</a>",
        "<a/>x",
    ]) func `what is not well-formed is refused`(_ text: String) {
        guard case .malformed = failure(text) else {
            Issue.record("\(text): \(String(describing: failure(text)))")
            return
        }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: XMLError.malformed(line: 1)) {
            try XMLDocument.parse([UInt8]("<a>".utf8) + [0xFF] + [UInt8]("</a>".utf8))
        }
    }

    @Test func `the line of an error is told`() { #expect(failure("<a>\n\n<b></a>") == .malformed(line: 3)) }

    @Test(arguments: [
        "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://h/'> %p;]><a/>",
        "<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>",
    ]) func `a document type declaration is refused, and every entity with it`(_ text: String) {
        #expect(failure(text) == .doctypeRefused)
    }

    @Test func `the five entities and character references are read`() throws {
        #expect(try parse("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x20AC;</a>").text == [UInt8]("<>&\"'A€".utf8))
    }

    @Test func `depth is bounded`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        }
        #expect(try parse(nested(32)).isNamed("a"))
        #expect(failure(nested(33)) == .tooDeep)
        #expect(failure(nested(100_000)) == .tooDeep)
        #expect(failure(String(repeating: "<a>", count: 100_000)) == .tooDeep)
        #expect(failure(nested(3), limits: XMLLimits(depthMax: 2)) == .tooDeep)
    }

    @Test func `size is bounded`() throws {
        let text = "<a>" + String(repeating: "x", count: 93) + "</a>"
        #expect(try parse(text, limits: XMLLimits(bytesMax: 100)).text.count == 93)
        #expect(failure(text, limits: XMLLimits(bytesMax: 99)) == .tooLarge)
    }

    @Test func `elements and attributes are bounded in number`() throws {
        let text = "<a b='1'><c/><c/></a>"
        #expect(try parse(text, limits: XMLLimits(nodesMax: 4)).children.count == 2)
        #expect(failure(text, limits: XMLLimits(nodesMax: 3)) == .tooManyNodes)
    }

    @Test func `a thousand objects to delete fit`() throws {
        let text = "<Delete>" + String(repeating: "<Object><Key>k</Key></Object>", count: 1000) + "</Delete>"
        #expect(try parse(text).children.count == 1000)
    }
}
