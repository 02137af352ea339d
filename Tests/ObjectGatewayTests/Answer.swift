import Bytes
import Files
import HTTPServer
import JSON
import Testing
import Threads
import XML

/// A response with its body in memory.
struct Answer: Sendable, CustomStringConvertible {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// Content-Length as it would be sent; of an answer to HEAD that of the GET.
    var length: UInt64?

    init(status: Int, headers: [(name: String, value: String)], body: [UInt8], length: UInt64?) {
        (self.status, self.headers, self.body, self.length) = (status, headers, body, length)
    }

    /// Reads slices of files and runs streams.
    init(collecting response: Response) async throws {
        status = response.status
        headers = Self.fields(of: response.headers.encoded)
        length = response.body.length
        switch response.body {
        case .none: body = []
        case .headOnly(let announced): (body, length) = ([], announced)
        case .bytes(let bytes): body = bytes
        case .files(let slices): body = try slices.flatMap(Self.bytes)
        case .fileSequence(_, let next):
            body = []
            while let slice = try await next() { body += try Self.bytes(of: slice) }
        case .stream(_, let run):
            let collected = Lock<[UInt8]>([])
            try await run(BodyWriter { bytes in collected.withLock { $0 += bytes } })
            body = collected.withLock { $0 }
        }
    }

    private static func bytes(of slice: FileSlice) throws -> [UInt8] {
        let bytes = try slice.file.read(at: slice.offset, count: Int(slice.length))
        try #require(bytes.count == Int(slice.length))
        return bytes
    }

    static func fields(of encoded: [UInt8]) -> [(name: String, value: String)] {
        encoded.split(separator: Ascii.lineFeed).compactMap { line in
            guard let colon = line.firstIndex(of: Ascii.colon) else { return nil }
            let value = Ascii.trimmed(line[(colon + 1)...].filter { $0 != Ascii.carriageReturn })
            return (name: String(ascii: Ascii.lowered(line[..<colon])), value: String(decoding: value, as: UTF8.self))
        }
    }

    /// The value of the only field of this name; lower case.
    subscript(name: String) -> String? {
        let found = headers.filter { $0.name == name }
        return found.count == 1 ? found[0].value : nil
    }

    var text: String { String(decoding: body, as: UTF8.self) }
    var etag: String { self["etag"] ?? "" }
    var version: String { self["x-amz-version-id"] ?? "" }

    /// The root of the document.
    func xml(_ name: StaticString, sourceLocation: SourceLocation = #_sourceLocation) throws -> XMLElement {
        let root = try XMLDocument.parse(body)
        try #require(root.isNamed(name), "\(self)", sourceLocation: sourceLocation)
        return root
    }

    /// The code of an `Error` document; nil for anything else.
    var code: String? {
        guard let root = try? XMLDocument.parse(body), root.isNamed("Error") else { return nil }
        return root.string("Code")
    }

    /// An element of an `Error` document.
    func detail(_ name: StaticString) -> String? { (try? XMLDocument.parse(body))?.string(name) }

    var description: String {
        "\(status) \(headers.map { "\($0.name): \($0.value)" }) \(String(decoding: body.prefix(2000), as: UTF8.self))"
    }
}

extension XMLElement {
    /// The text at the end of a path of first children.
    func string(_ path: StaticString...) -> String? {
        var element: XMLElement? = self
        for name in path { element = element?.child(name) }
        return element.map { String(decoding: $0.text, as: UTF8.self) }
    }

    /// The text of `name` in each child called `parent`.
    func strings(_ parent: StaticString, _ name: StaticString) -> [String] {
        children(parent).map { $0.string(name) ?? "(absent)" }
    }
}
