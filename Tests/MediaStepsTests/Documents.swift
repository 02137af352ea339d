@testable import MediaSteps

/// Documents made here, so that their text is known.
enum Documents {
    /// A PDF of one line of text to a page (ISO 32000-1, with a true cross-reference table), which may claim more pages, and
    /// have a table with room for that many objects more.
    static func pdf(pages: [String], title: String, claiming count: Int? = nil, entries: Int = 0) -> [UInt8] {
        var objects: [String] = []
        let kids = pages.indices.map { "\(4 + 2 * $0) 0 R" }.joined(separator: " ")
        objects.append("<</Type/Catalog/Pages 2 0 R>>")
        objects.append("<</Type/Pages/Kids[\(kids)]/Count \(count ?? pages.count)>>")
        objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
        for (place, text) in pages.enumerated() {
            let escaped = text.map { "()\\".contains($0) ? "\\\($0)" : String($0) }.joined()
            let content = "0 0.4 0.8 rg 0 0 100 100 re f 0 g BT /F1 24 Tf 40 700 Td (\(escaped)) Tj ET"
            objects.append(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents \(5 + 2 * place) 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            )
            objects.append("<</Length \(content.utf8.count)>>\nstream\n\(content)\nendstream")
        }
        objects.append("<</Title(\(title))>>")
        var file = "%PDF-1.4\n"
        var offsets: [Int] = []
        for (place, object) in objects.enumerated() {
            offsets.append(file.utf8.count)
            file += "\(place + 1) 0 obj\n\(object)\nendobj\n"
        }
        let table = file.utf8.count
        file += "xref\n0 \(objects.count + 1 + entries)\n0000000000 65535 f \n"
        for offset in offsets {
            let digits = String(offset)
            file += String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n"
        }
        for _ in 0..<entries { file += "0000000000 65535 f \n" }
        file +=
            "trailer<</Size \(objects.count + 1 + entries)/Root 1 0 R/Info \(objects.count) 0 R>>\nstartxref\n\(table)\n%%EOF\n"
        return Array(file.utf8)
    }

    static func docx(_ paragraphs: [String], title: String, pages: Int) -> [UInt8] {
        let body = paragraphs.map {
            "<w:p><w:r><w:t>\($0.split(separator: "&").joined(separator: "&amp;"))</w:t></w:r></w:p>"
        }
        return Archives.zip([
            ("[Content_Types].xml", Array("<Types/>".utf8)),
            ("word/document.xml", Array("<w:document><w:body>\(body.joined())</w:body></w:document>".utf8)),
            ("docProps/app.xml", Array("<Properties><Pages>\(pages)</Pages></Properties>".utf8)),
            ("docProps/core.xml", Array("<cp:coreProperties><dc:title>\(title)</dc:title></cp:coreProperties>".utf8)),
        ])
    }
}
