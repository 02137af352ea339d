import Bytes

/// The start line and fields of one request, as they came on the wire.
///
/// Holds one copy of the head's bytes and the places in it, so that signatures are checked over exactly what was sent.
/// Made only by `RequestDecoder`, so everything in it has passed the strict grammar: no bare LF, no folding, no NUL, at
/// most one Content-Length, never Content-Length beside Transfer-Encoding.
public struct RequestHead: Sendable {
    /// One field line: places in `bytes`. The value is without surrounding white space.
    struct Field: Sendable {
        var name: Range<Int>
        var value: Range<Int>
    }

    let bytes: [UInt8]
    let methodRange: Range<Int>
    let pathRange: Range<Int>
    let queryRange: Range<Int>?
    let fieldRanges: [Field]

    public let method: Method
    /// HTTP minor version: 0 or 1 of HTTP/1.x.
    public let minorVersion: Int
    public let body: BodyFraming
    /// `Expect: 100-continue` was sent.
    public let expectsContinue: Bool
    /// The connection may carry another request after this one.
    public let keepsAlive: Bool

    public enum BodyFraming: Sendable, Equatable {
        case none
        /// Content-Length, in bytes.
        case length(UInt64)
        case chunked
    }

    public enum Method: Sendable, Equatable, Hashable, CaseIterable {
        case get, head, put, post, delete, options, patch
        /// Any other token; its bytes are `methodBytes`.
        case other
    }

    public var methodBytes: ArraySlice<UInt8> { bytes[methodRange] }
    /// The raw path, before any decoding, up to `?`.
    public var path: ArraySlice<UInt8> { bytes[pathRange] }
    /// The raw query, after `?`; nil where there is no `?`.
    public var query: ArraySlice<UInt8>? { queryRange.map { bytes[$0] } }
    public var fieldCount: Int { fieldRanges.count }

    /// The name, in the case it was sent with, and the trimmed value of the field at `index` (0 ..< fieldCount).
    public func field(at index: Int) -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        (bytes[fieldRanges[index].name], bytes[fieldRanges[index].value])
    }

    /// The value of the first field of this name; `name` is lower case.
    public func first(_ name: StaticString) -> ArraySlice<UInt8>? {
        for field in fieldRanges where matches(field, name) { return bytes[field.value] }
        return nil
    }

    /// The values of all fields of this name in order; `name` is lower case.
    public func all(_ name: StaticString) -> [ArraySlice<UInt8>] {
        fieldRanges.filter { matches($0, name) }.map { bytes[$0.value] }
    }

    public func count(of name: StaticString) -> Int {
        var count = 0
        for field in fieldRanges where matches(field, name) { count += 1 }
        return count
    }

    private func matches(_ field: Field, _ name: StaticString) -> Bool {
        guard field.name.count == name.utf8CodeUnitCount else { return false }
        // SAFETY: the lengths are equal, so index stays inside the static string.
        let wanted = unsafe UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        var index = 0
        for place in field.name {
            if unsafe Ascii.lowered(bytes[place]) != wanted[index] { return false }
            index += 1
        }
        return true
    }
}
