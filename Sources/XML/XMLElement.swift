/// An element of a parsed document. Names are without their prefix; comments, processing instructions and the order of text
/// among children are not kept.
public struct XMLElement: Sendable, Equatable {
    /// The local name.
    public let name: [UInt8]
    /// The namespace's URI; empty without one.
    public let namespace: [UInt8]
    public internal(set) var attributes: [(name: [UInt8], value: [UInt8])]
    public internal(set) var children: [XMLElement] = []
    /// All text directly inside, joined, in UTF-8.
    public internal(set) var text: [UInt8] = []

    init(name: [UInt8], namespace: [UInt8], attributes: [(name: [UInt8], value: [UInt8])]) {
        self.name = name
        self.namespace = namespace
        self.attributes = attributes
    }

    public func isNamed(_ name: StaticString) -> Bool { self.name.elementsEqual(name.description.utf8) }

    /// The first child of this name.
    public func child(_ name: StaticString) -> XMLElement? { children.first { $0.isNamed(name) } }

    public func children(_ name: StaticString) -> [XMLElement] { children.filter { $0.isNamed(name) } }

    /// The text of the first child of this name.
    public func text(of name: StaticString) -> [UInt8]? { child(name)?.text }

    /// The value of the attribute of this local name.
    public func attribute(_ name: StaticString) -> [UInt8]? {
        attributes.first { $0.name.elementsEqual(name.description.utf8) }?.value
    }

    public static func == (a: XMLElement, b: XMLElement) -> Bool {
        a.name == b.name && a.namespace == b.namespace && a.text == b.text && a.children == b.children
            && a.attributes.elementsEqual(b.attributes) { $0.name == $1.name && $0.value == $1.value }
    }
}
