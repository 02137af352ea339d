import Testing

@testable import MediaSteps

@Suite struct ArchiveTests {
    private func unpacked(_ archive: ZipArchive, _ name: String) throws -> [UInt8] {
        var all: [UInt8] = []
        try archive.unpack(name) { piece in
            all += piece
            return true
        }
        return all
    }

    @Test func `Entries come out, stored and deflated`() throws {
        let packed = Archives.deflatedRun(of: 0x41, count: 100_000)
        let archive = try ZipArchive(
            Archives.zip([
                (name: "a", packed: Array("plain".utf8), method: 0, size: 5),
                (name: "b", packed: packed, method: 8, size: 100_000),
            ]), unpackedBytesMax: 1 << 20)
        #expect(archive.entries.map(\.name) == ["a", "b"])
        #expect(try unpacked(archive, "a") == Array("plain".utf8))
        #expect(try unpacked(archive, "b") == [UInt8](repeating: 0x41, count: 100_000))
    }

    @Test func `More than the limit is refused by the directory alone`() {
        #expect {
            _ = try ZipArchive(Archives.zip([("a", [1])], claiming: 1 << 21), unpackedBytesMax: 1 << 20)
        } throws: { ($0 as? MediaError)?.code == .limit }
    }

    @Test func `More than the directory says is refused where it turns up`() throws {
        let packed = Archives.deflatedRun(of: 0x20, count: 10_000_000)
        let archive = try ZipArchive(
            Archives.zip([(name: "a", packed: packed, method: 8, size: 1_000)]), unpackedBytesMax: 1 << 20)
        var most = 0
        #expect {
            try archive.unpack("a") { piece in
                most += piece.count
                return true
            }
        } throws: { ($0 as? MediaError)?.code == .limit }
        #expect(most <= 1_000)
    }

    @Test func `Whatever is cut off or changed in an archive, it is an error and no trap`() {
        let whole = Archives.zip([
            (name: "word/document.xml", packed: Archives.deflatedRun(of: 0x41, count: 300), method: 8, size: 300)
        ])
        for place in whole.indices {
            for change in [0, 0xff, whole[place] ^ 0x10] as [UInt8] {
                var bytes = whole
                bytes[place] = change
                if let archive = try? ZipArchive(bytes, unpackedBytesMax: 1 << 16) {
                    for entry in archive.entries { try? archive.unpack(entry.name) { _ in true } }
                }
            }
            _ = try? ZipArchive(Array(whole[..<place]), unpackedBytesMax: 1 << 16)
        }
    }

    @Test func `The text of a Word document comes out however it is cut into pieces`() {
        let xml = Array(
            "<w:p><w:pPr><w:t1>no</w:t1></w:pPr><w:r><w:t xml:space=\"preserve\">Tom &amp; Jerry &#233;</w:t></w:r></w:p><w:p><w:t>two</w:t><w:tab/><w:t/>no</w:p>"
                .utf8)
        for cut in xml.indices {
            var words = WordText(bytesMax: 1_000)
            let goesOn = [words.take(xml[..<cut]), words.take(xml[cut...])]
            #expect(goesOn == [true, true])
            #expect(String(decoding: words.text, as: UTF8.self) == "Tom & Jerry é two  ")
        }
    }

    @Test func `Text stops where it is full`() {
        var words = WordText(bytesMax: 10)
        let goesOn = words.take(Array("<w:t>0123456789ABC</w:t>".utf8)[...])
        #expect(!goesOn)
        #expect(words.text == Array("0123456789".utf8))
    }
}
