import Bytes

extension RequestHead {
    /// A head for requests that are made in process, under the grammar that the decoder asks of the wire. Nil when the method
    /// or a name is no token, a value holds CR, LF, NUL or outer white space, or the target is empty, holds white space or a
    /// control character, or does not begin with `/` or `*`.
    public static func make(
        method: String, target: some Collection<UInt8>, fields: [(name: [UInt8], value: [UInt8])],
        body: BodyFraming = .none
    ) -> RequestHead? {
        var bytes = [UInt8](method.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy(HeaderBlock.isTokenCharacter),
            let first = target.first, first == Ascii.slash || first == Ascii.asterisk,
            target.allSatisfy({ $0 > Ascii.space && $0 != 0x7F })
        else { return nil }
        let methodRange = 0..<bytes.count
        let start = bytes.count
        bytes += target
        let question = bytes[start...].firstIndex(of: Ascii.question)
        let queryRange = question.map { $0 + 1..<bytes.count }
        let pathRange = start..<(question ?? bytes.count)
        var fieldRanges: [Field] = []
        for (name, value) in fields {
            guard !name.isEmpty, name.allSatisfy(HeaderBlock.isTokenCharacter),
                value.allSatisfy({ $0 != Ascii.carriageReturn && $0 != Ascii.lineFeed && $0 != 0 }),
                Ascii.trimmed(value).count == value.count
            else { return nil }
            let nameStart = bytes.count
            bytes += name
            let valueStart = bytes.count
            bytes += value
            fieldRanges.append(Field(name: nameStart..<valueStart, value: valueStart..<bytes.count))
        }
        return RequestHead(
            bytes: bytes, methodRange: methodRange, pathRange: pathRange, queryRange: queryRange,
            fieldRanges: fieldRanges, method: known(method), minorVersion: 1, body: body, expectsContinue: false,
            keepsAlive: true)
    }

    /// As above, from text.
    public static func make(
        method: String, target: String, fields: [(String, String)] = [], body: BodyFraming = .none
    ) -> RequestHead? {
        make(
            method: method, target: [UInt8](target.utf8),
            fields: fields.map { (name: [UInt8]($0.0.utf8), value: [UInt8]($0.1.utf8)) }, body: body)
    }

    private static func known(_ method: String) -> Method {
        Method.allCases.first { $0 != .other && $0.name.description == method } ?? .other
    }
}
