import Bytes
import ObjectGateway
import XML

/// Any tree that is read keeps its limits, and its text survives being written and read again.
func fuzzXML(_ input: [UInt8]) {
    guard let root = try? XMLDocument.parse(input, limits: XMLLimits(bytesMax: 1 << 16, depthMax: 8, nodesMax: 500))
    else { return }
    var writer = XMLWriter()
    writer.open("Root")
    var level = [root]
    var depth = 0
    while !level.isEmpty {
        depth += 1
        require(depth <= 8, "depth")
        for element in level {
            require(!element.name.isEmpty, "a name")
            writer.element("Text", element.text)
        }
        level = level.flatMap(\.children)
    }
    writer.close("Root")
    guard let again = try? XMLDocument.parse(writer.bytes) else {
        return require(false, "what was written cannot be read")
    }
    require(again.children.first?.text == root.text, "text")
}

/// A range that is read lies inside the object, whatever its size.
func fuzzRange(_ input: [UInt8]) {
    guard input.count > 8 else { return }
    let size = input[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let range = ByteRange.parse(input[8...]) else { return }
    for size in [size, size >> 32, size >> 56, 0, 1, .max] {
        guard let bytes = range.resolve(size: size) else { continue }
        require(!bytes.isEmpty && bytes.upperBound <= size, "\(range) of \(size): \(bytes)")
    }
}

/// What is read in one of the small encodings is written back to the same.
func fuzzEncodings(_ input: [UInt8]) {
    if let bytes = Base64.decode(input) { require(Base64.encode(bytes) == input, "base64") }
    if let bytes = Hex.decode(input) { require(Hex.encode(bytes) == Ascii.lowered(input), "hex") }
    if let bytes = PercentEncoding.decode(input) {
        require(PercentEncoding.decode(PercentEncoding.encode(bytes)) == bytes, "percent")
        require(
            PercentEncoding.decode(PercentEncoding.encodeForListing(bytes), plusIsSpace: true) == bytes, "listing")
    }
    if let value = Ascii.decimal(input) {
        require(Ascii.decimal(Ascii.decimal(of: value)) == value, "decimal")
    }
    if let moment = DateFormats.parseAmz(input) { require(DateFormats.amz(moment) == input || leap(input), "amz date") }
    if let moment = DateFormats.parseHTTP(input) {
        require(DateFormats.parseHTTP(DateFormats.http(moment)) == moment, "HTTP date")
    }
    if let moment = DateFormats.parseISO8601(input) {
        require(DateFormats.parseISO8601(DateFormats.iso8601(moment)) == moment, "ISO date")
    }
}

/// A leap second is read as the one before it.
private func leap(_ text: [UInt8]) -> Bool { text.count == 16 && text[13] == 0x36 && text[14] == 0x30 }
