import Glibc
import ObjectGateway
import TestSupport
import Testing

/// Pages of docs/ that the code writes: each equals what the code says, or is written anew where `OGW_WRITE_DOCS` is set
/// (`make docs`).
@Suite struct GeneratedDocs {
    let tree = SourceTree.shared

    @Test func `docs/S3-COMPATIBILITY is what the operation table says`() throws {
        try compare("docs/S3-COMPATIBILITY.md", CompatibilityDocument.markdown())
    }

    @Test func `docs/SETTINGS is what the table of settings says`() throws {
        try compare("docs/SETTINGS.md", SettingsDocument.markdown())
    }

    private func compare(_ page: String, _ text: String) throws {
        if unsafe getenv("OGW_WRITE_DOCS") != nil {
            try tree.write(page, text)
        } else {
            #expect(tree.text(page) == text, "\(page) differs from the code: run `make docs` and commit it")
        }
    }
}
