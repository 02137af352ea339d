import Bytes
import HTTPServer
import Metadata
import XML

/// A document in S3's namespace, being written.
struct S3Document {
    private static let namespace: StaticString = "http://s3.amazonaws.com/doc/2006-03-01/"

    private var writer = XMLWriter()
    private let root: StaticString

    init(_ root: StaticString) {
        self.root = root
        writer.open(root, namespace: Self.namespace)
    }

    /// A document whose root holds nothing but `text`.
    init(_ root: StaticString, text: [UInt8]) {
        self.init(root)
        writer.text(text)
    }

    mutating func open(_ name: StaticString) { writer.open(name) }
    mutating func open(_ name: StaticString, attributes: [(StaticString, StaticString)]) {
        writer.open(name, attributes: attributes.map { ($0.0, [UInt8]($0.1.description.utf8)) })
    }
    mutating func close(_ name: StaticString) { writer.close(name) }
    mutating func element(_ name: StaticString, _ value: some Sequence<UInt8>) { writer.element(name, value) }
    mutating func element(_ name: StaticString, _ value: String) { writer.element(name, value) }
    mutating func element(_ name: StaticString, _ value: StaticString) { writer.element(name, value.description) }
    mutating func element(_ name: StaticString, _ value: Int) {
        writer.element(name, Ascii.decimal(of: UInt64(max(0, value))))
    }
    mutating func element(_ name: StaticString, _ value: UInt64) { writer.element(name, Ascii.decimal(of: value)) }
    mutating func element(_ name: StaticString, _ value: Bool) { writer.element(name, value ? "true" : "false") }

    /// An owner or initiator: the user's name is both its id and its display name.
    mutating func owner(_ element: StaticString, _ name: String) {
        open(element)
        self.element("ID", name)
        self.element("DisplayName", name)
        close(element)
    }

    consuming func finish() -> [UInt8] {
        writer.close(root)
        return writer.bytes
    }

    consuming func response(status: Int = 200) -> Response {
        var response = Response(status: status)
        response.headers.add("content-type", "application/xml")
        response.body = .bytes(finish())
        return response
    }

    /// MalformedXML when `bytes` are no document.
    static func parse(_ bytes: [UInt8]) throws(S3Error) -> XMLElement {
        do {
            return try XMLDocument.parse(bytes)
        } catch {
            throw S3Error(.malformedXML, cause: "\(error)")
        }
    }
}
