import Testing
import XML

@Suite struct XMLWriterTests {
    private func text(_ value: [UInt8]) -> String {
        var writer = XMLWriter()
        writer.element("K", value)
        return String(decoding: writer.bytes, as: UTF8.self)
            .replacing("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", with: "")
    }

    @Test func `a document is written as S3 writes it`() {
        var writer = XMLWriter()
        writer.open("ListBucketResult", namespace: XMLWriter.s3Namespace)
        writer.element("Name", "b")
        writer.empty("Prefix")
        writer.element("MaxKeys", UInt64(1000))
        writer.element("IsTruncated", false)
        writer.open("Grantee", attributes: [("xsi:type", [UInt8]("a\"<".utf8))])
        writer.close("Grantee")
        writer.close("ListBucketResult")
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix/>"
                + "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Grantee xsi:type=\"a&quot;&lt;\"></Grantee>"
                + "</ListBucketResult>")
    }

    @Test func `markup characters are escaped`() {
        #expect(text([UInt8]("<a>&\"'".utf8)) == "<K>&lt;a&gt;&amp;&quot;'</K>")
    }

    @Test func `control characters become references, as AWS writes them`() {
        #expect(text([1, 9, 10, 13, 0x1F, 0x7F, 0]) == "<K>&#x1;&#x9;&#xa;&#xd;&#x1f;&#x7f;&#x0;</K>")
    }

    @Test func `what is not UTF-8 becomes the replacement character`() {
        #expect(text([0x61, 0xFF, 0x62, 0xC3, 0x28]) == "<K>a\u{FFFD}b\u{FFFD}(</K>")
        #expect(text([0xED, 0xA0, 0x80, 0x61]).hasSuffix("a</K>"))
        #expect(text([0xEF, 0xBF, 0xBF]) == "<K>\u{FFFD}</K>")
        #expect(text([UInt8]("ä€😀".utf8)) == "<K>ä€😀</K>")
    }

    @Test func `any text that XML can carry comes back from the parser`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        for round in 0..<500 {
            var value = ""
            for _ in 0..<20 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let pick = UInt32(truncatingIfNeeded: state >> 33)
                let code = [
                    pick % 0x60 + 0x20, pick % 0xD7DF + 0x20, [9, 10, 13][Int(pick % 3)], pick % 0x100000 + 0x10000,
                ][
                    Int(state >> 62)]
                if code < 0xFFFE || code > 0xFFFF, let scalar = Unicode.Scalar(code) {
                    value.unicodeScalars.append(scalar)
                }
            }
            var writer = XMLWriter()
            writer.element("K", value)
            #expect(try XMLDocument.parse(writer.bytes).text == [UInt8](value.utf8), "seed \(seed) round \(round)")
        }
    }

    @Test func `whatever bytes are written, the document's markup stays whole`() {
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        for round in 0..<500 {
            let value = (0..<30).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 40)
            }
            let written = text(value).dropFirst(3).dropLast(4)
            #expect(!written.contains { "<>\"\r\n\0".contains($0) }, "seed \(seed) round \(round)")
        }
    }
}
