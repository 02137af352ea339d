import Bytes
import HTTPServer
import XML

/// Which other origins a browser may let use a bucket (API/CORSRule, userguide/ManageCorsUsing): 1...100 rules, of which the first that
/// matches counts.
struct CORSConfiguration: Sendable, Equatable {
    struct Rule: Sendable, Equatable {
        /// At most 255 characters.
        var id: [UInt8]?
        var methods: [[UInt8]] = []
        /// Each with one `*` at most.
        var origins: [[UInt8]] = []
        /// Which fields a preflight may ask for, without regard to case, each with one `*` at most.
        var headers: [[UInt8]] = []
        var exposedHeaders: [[UInt8]] = []
        /// How long a browser may remember a preflight.
        var maxAge_s: Int?
    }

    private(set) var rules: [Rule] = []

    static let ruleCountMax = 100
    private static let idLengthMax = 255
    private static let methods: [StaticString] = ["GET", "PUT", "HEAD", "POST", "DELETE"]

    /// Throws MalformedXML, and InvalidRequest for a method or wildcard that no rule can have.
    init(_ root: XMLElement) throws(S3Error) {
        guard root.isNamed("CORSConfiguration"), !root.children.isEmpty else { throw S3Error(.malformedXML) }
        for element in root.children {
            guard element.isNamed("CORSRule"), rules.count < Self.ruleCountMax else { throw S3Error(.malformedXML) }
            rules.append(try Self.rule(element))
        }
    }

    private static func rule(_ element: XMLElement) throws(S3Error) -> Rule {
        var rule = Rule()
        for child in element.children {
            let text = child.text
            if child.isNamed("AllowedMethod") {
                guard methods.contains(where: { $0.matches(text) }) else {
                    throw S3Error(
                        .invalidRequest,
                        "Found unsupported HTTP method in CORS config. Unsupported method is "
                            + String(decoding: text.prefix(64), as: UTF8.self))
                }
                rule.methods.append(text)
            } else if child.isNamed("AllowedOrigin") {
                rule.origins.append(try withOneWildcard(text, of: "AllowedOrigin"))
            } else if child.isNamed("AllowedHeader") {
                rule.headers.append(try withOneWildcard(text, of: "AllowedHeader"))
            } else if child.isNamed("ExposeHeader") {
                guard !text.isEmpty, text.allSatisfy(HeaderBlock.isTokenCharacter) else {
                    throw S3Error(
                        .invalidRequest, "ExposeHeader \"\(shown(text))\" contains what no header name can have.")
                }
                rule.exposedHeaders.append(text)
            } else if child.isNamed("MaxAgeSeconds"), rule.maxAge_s == nil {
                guard let seconds = Ascii.decimal(text), seconds <= UInt64(Int32.max) else {
                    throw S3Error(.malformedXML)
                }
                rule.maxAge_s = Int(seconds)
            } else if child.isNamed("ID"), rule.id == nil, text.count <= idLengthMax {
                rule.id = text
            } else {
                throw S3Error(.malformedXML)
            }
        }
        guard !rule.methods.isEmpty, !rule.origins.isEmpty else { throw S3Error(.malformedXML) }
        return rule
    }

    private static func withOneWildcard(_ text: [UInt8], of name: String) throws(S3Error) -> [UInt8] {
        // It becomes part of a header field.
        guard !text.isEmpty, text.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw S3Error(.malformedXML) }
        guard text.count(where: { $0 == Ascii.asterisk }) <= 1 else {
            throw S3Error(.invalidRequest, "\(name) \"\(shown(text))\" can not have more than one wildcard.")
        }
        return text
    }

    private static func shown(_ text: [UInt8]) -> String { String(decoding: text.prefix(200), as: UTF8.self) }

    var document: S3Document {
        var xml = S3Document("CORSConfiguration")
        for rule in rules {
            xml.open("CORSRule")
            if let id = rule.id { xml.element("ID", id) }
            for method in rule.methods { xml.element("AllowedMethod", method) }
            for origin in rule.origins { xml.element("AllowedOrigin", origin) }
            for header in rule.headers { xml.element("AllowedHeader", header) }
            for header in rule.exposedHeaders { xml.element("ExposeHeader", header) }
            if let seconds = rule.maxAge_s { xml.element("MaxAgeSeconds", seconds) }
            xml.close("CORSRule")
        }
        return xml
    }

    // MARK: What a request is allowed

    /// The first rule that lets a page of `origin` send `method`, with these fields beside the ones that every page may send.
    func rule(
        origin: some Collection<UInt8>, method: some Collection<UInt8>, headers: [[UInt8]] = []
    ) -> (rule: Rule, origin: [UInt8])? {
        for rule in rules where rule.methods.contains(where: { $0.elementsEqual(method) }) {
            guard let pattern = rule.origins.first(where: { Self.matches($0, origin) }),
                headers.allSatisfy({ name in rule.headers.contains { Self.matches(Ascii.lowered($0), name) } })
            else { continue }
            return (rule, pattern)
        }
        return nil
    }

    /// Whether `text` is the pattern with anything in the place of its `*`.
    private static func matches(_ pattern: [UInt8], _ text: some Collection<UInt8>) -> Bool {
        guard let star = pattern.firstIndex(of: Ascii.asterisk) else { return pattern.elementsEqual(text) }
        let (head, tail) = (pattern[..<star], pattern[(star + 1)...])
        guard text.count >= head.count + tail.count else { return false }
        return text.starts(with: head) && text.suffix(tail.count).elementsEqual(tail)
    }
}
