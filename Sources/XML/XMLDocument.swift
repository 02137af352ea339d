import CExpat
import Glibc

/// Reads small XML documents, such as S3's request bodies, into trees.
public enum XMLDocument {
    /// Parses a whole document in UTF-8, UTF-16, ISO-8859-1 or ASCII; names and text come out in UTF-8.
    public static func parse(_ bytes: Span<UInt8>, limits: XMLLimits = XMLLimits()) throws(XMLError) -> XMLElement {
        guard bytes.count <= limits.bytesMax, let count = Int32(exactly: bytes.count) else { throw .tooLarge }
        return try ExpatParser(limits).parse(bytes, count)
    }

    public static func parse(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) -> XMLElement {
        try parse(bytes.span, limits: limits)
    }
}

/// The one owner of an expat parser, for one document.
@safe private final class ExpatParser {
    private let parser: XML_Parser
    private let limits: XMLLimits
    /// The elements that are open, the root first.
    private var open: [XMLElement] = []
    private var root: XMLElement?
    private var nodes = 0
    private var refusal: XMLError?

    /// Between namespace and name; a byte that no name and no URI of a well-formed document holds.
    private static let separator: UInt8 = 0x0A

    init(_ limits: XMLLimits) throws(XMLError) {
        guard let made = unsafe XML_ParserCreateNS(nil, XML_Char(Self.separator)) else { throw .outOfMemory }
        unsafe parser = made
        self.limits = limits
    }

    deinit {
        // SAFETY: made in init, freed once, used by nobody else.
        unsafe XML_ParserFree(parser)
    }

    func parse(_ bytes: Span<UInt8>, _ count: Int32) throws(XMLError) -> XMLElement {
        // SAFETY: the handlers run inside XML_Parse only, while self is alive; the strings that they get are read before they
        // return; the bytes are lent for the call.
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        unsafe XML_SetElementHandler(
            parser,
            { data, name, attributes in unsafe ExpatParser.of(data)?.begin(name, attributes) },
            { data, _ in unsafe ExpatParser.of(data)?.end() })
        unsafe XML_SetCharacterDataHandler(parser) { data, text, count in
            unsafe ExpatParser.of(data)?.append(text, count)
        }
        unsafe XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
            unsafe ExpatParser.of(data)?.refuse(.doctypeRefused)
        }
        let status = unsafe bytes.withUnsafeBytes { buffer in
            unsafe XML_Parse(parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), count, 1)
        }
        if let refusal { throw refusal }
        guard status == XML_STATUS_OK, open.isEmpty, let root else {
            throw .malformed(line: unsafe Int(clamping: XML_GetCurrentLineNumber(parser)))
        }
        return root
    }

    private static func of(_ data: UnsafeMutableRawPointer?) -> ExpatParser? {
        // SAFETY: the user data is always the parser's owner, alive during XML_Parse.
        unsafe data.map { unsafe Unmanaged<ExpatParser>.fromOpaque($0).takeUnretainedValue() }
    }

    private func refuse(_ error: XMLError) {
        if refusal == nil { refusal = error }
        // SAFETY: called from a handler, where expat allows it.
        unsafe _ = XML_StopParser(parser, XML_Bool(XML_FALSE))
    }

    private func begin(_ name: UnsafePointer<XML_Char>?, _ list: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?) {
        guard refusal == nil, let name = unsafe name else { return }
        if open.count >= limits.depthMax { return refuse(.tooDeep) }
        var attributes: [(name: [UInt8], value: [UInt8])] = []
        if let list = unsafe list {
            var index = 0
            // SAFETY: expat ends the list of name and value pairs with a null pointer.
            while let key = unsafe list[index], let value = unsafe list[index + 1] {
                let full = unsafe Self.bytes(key)
                attributes.append((name: Self.split(full).name, value: unsafe Self.bytes(value)))
                index += 2
            }
        }
        nodes += 1 + attributes.count
        if nodes > limits.nodesMax { return refuse(.tooManyNodes) }
        let (namespace, local) = unsafe Self.split(Self.bytes(name))
        open.append(XMLElement(name: local, namespace: namespace, attributes: attributes))
    }

    private func end() {
        guard refusal == nil, let element = open.popLast() else { return }
        if open.isEmpty {
            root = element
        } else {
            open[open.count - 1].children.append(element)
        }
    }

    private func append(_ text: UnsafePointer<XML_Char>?, _ count: Int32) {
        guard refusal == nil, !open.isEmpty, let text = unsafe text, count > 0 else { return }
        // SAFETY: expat lends `count` bytes for the time of the handler.
        let buffer = unsafe UnsafeRawBufferPointer(start: text, count: Int(count))
        unsafe open[open.count - 1].text.append(contentsOf: buffer)
    }

    private static func split(_ full: [UInt8]) -> (namespace: [UInt8], name: [UInt8]) {
        guard let cut = full.lastIndex(of: separator) else { return ([], full) }
        return ([UInt8](full[..<cut]), [UInt8](full[(cut + 1)...]))
    }

    private static func bytes(_ text: UnsafePointer<XML_Char>) -> [UInt8] {
        // SAFETY: expat's strings end with NUL.
        unsafe [UInt8](UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
