import Bytes

/// The query of a request, decoded once, in order.
struct QueryParameters: Sendable {
    struct Parameter: Sendable {
        var name: [UInt8]
        /// Empty both for `a` and for `a=`.
        var value: [UInt8]
    }

    let all: [Parameter]

    static let none = QueryParameters(all: [])

    private init(all: [Parameter]) { self.all = all }

    /// Throws InvalidURI for a broken percent code.
    init(_ raw: ArraySlice<UInt8>?) throws(S3Error) {
        guard let raw, !raw.isEmpty else {
            all = []
            return
        }
        var parameters: [Parameter] = []
        for piece in raw.split(separator: Ascii.ampersand) {
            let name: ArraySlice<UInt8>
            let value: ArraySlice<UInt8>
            if let equals = piece.firstIndex(of: Ascii.equals) {
                (name, value) = (piece[..<equals], piece[(equals + 1)...])
            } else {
                (name, value) = (piece, [])
            }
            guard let decodedName = PercentEncoding.decode(name, plusIsSpace: true),
                let decodedValue = PercentEncoding.decode(value, plusIsSpace: true)
            else { throw S3Error(.invalidURI) }
            parameters.append(Parameter(name: decodedName, value: decodedValue))
        }
        all = parameters
    }

    /// The value of the first parameter of this name.
    subscript(name: StaticString) -> [UInt8]? {
        for parameter in all where name.matches(parameter.name) { return parameter.value }
        return nil
    }

    func contains(_ name: StaticString) -> Bool {
        all.contains { name.matches($0.name) }
    }
}

extension StaticString {
    /// Equal byte for byte.
    func matches(_ bytes: some Collection<UInt8>) -> Bool {
        guard bytes.count == utf8CodeUnitCount else { return false }
        // SAFETY: a static string's bytes live for ever.
        return unsafe bytes.elementsEqual(UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
    }
}
