import CPoppler

/// The pages, the text and the properties of a PDF, read by Poppler.
@safe final class PDFDocument {
    private let document: OpaquePointer

    private init(_ document: OpaquePointer) { unsafe self.document = document }

    deinit {
        // SAFETY: opened once, closed once.
        unsafe cpoppler_close(document)
    }

    static func open(_ bytes: [UInt8], _ name: String) throws(MediaError) -> PDFDocument {
        // SAFETY: Poppler gets a copy of the bytes.
        guard let document = unsafe cpoppler_open(bytes, bytes.count) else {
            throw MediaError(.undecodable, "\(name) is a damaged or encrypted PDF")
        }
        return unsafe PDFDocument(document)
    }

    var pages: Int { Int(unsafe cpoppler_pages(document)) }

    func text(page: Int) -> String { unsafe taken(cpoppler_text(document, Int32(clamping: page))) ?? "" }

    /// Points, 1/72 inch.
    var firstPage: (width: Double, height: Double) {
        var size = (width: 0.0, height: 0.0)
        unsafe cpoppler_page_size(document, 0, &size.width, &size.height)
        return size
    }

    var properties: [String: String] {
        let all = unsafe [
            "title": taken(cpoppler_title(document)), "author": taken(cpoppler_author(document)),
            "subject": taken(cpoppler_subject(document)), "creator": taken(cpoppler_creator(document)),
        ]
        return all.compactMapValues { $0 }.filter { !$0.value.isEmpty }
    }

    private func taken(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text = unsafe text else { return nil }
        // SAFETY: the text is ours; it is copied, then freed.
        defer { unsafe g_free(text) }
        return unsafe String(cString: text)
    }
}
