import Bytes

/// Where an engine that speaks S3 keeps blobs: `s3://bucket/prefix?endpoint=http://host:port&region=us-east-1&style=path`.
public struct EngineAddress: Sendable, Equatable {
    public enum Style: String, Sendable, CaseIterable {
        /// `endpoint/bucket/key`.
        case path
        /// `bucket.endpoint/key`.
        case virtual
    }

    public var bucket: String
    /// Without slashes at its ends; empty for none.
    public var prefix: String
    /// `http` or `https`.
    public var scheme: String
    /// Host, with a port where it is not the scheme's own.
    public var host: String
    public var region: String
    public var style: Style

    /// What was wanted, of which part.
    public struct Malformed: Error, Sendable, Equatable {
        public let wanted: String
    }

    public init(_ text: String) throws(Malformed) {
        let bytes = [UInt8](text.utf8)
        guard bytes.starts(with: "s3://".utf8) else { throw Malformed(wanted: Self.wanted) }
        let parts = bytes.dropFirst(5).split(separator: Ascii.question, maxSplits: 1, omittingEmptySubsequences: false)
        guard let place = parts.first else { throw Malformed(wanted: Self.wanted) }
        let names = place.split(separator: Ascii.slash, maxSplits: 1, omittingEmptySubsequences: false)
        bucket = String(ascii: names.first ?? [])
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isBucketByte) else {
            throw Malformed(wanted: "a bucket name of 3 to 63 of a-z 0-9 . and - after s3://")
        }
        var prefix = names.count > 1 ? names[1] : []
        while prefix.last == Ascii.slash { prefix = prefix.dropLast() }
        guard prefix.count <= 256, !prefix.starts(with: [Ascii.slash]),
            prefix.allSatisfy({ PercentEncoding.isUnreserved($0) || $0 == Ascii.slash })
        else { throw Malformed(wanted: "a prefix of at most 256 letters, digits, - . _ ~ and / after the bucket") }
        self.prefix = String(ascii: prefix)
        (scheme, host, region, style) = ("", "", "us-east-1", .path)
        try readQuery(parts.count > 1 ? parts[1] : [])
        if host.isEmpty { (scheme, host) = ("https", "s3.\(region).amazonaws.com") }
    }

    static let wanted = "s3://bucket/prefix?endpoint=http://host:port&region=us-east-1"

    private mutating func readQuery(_ query: ArraySlice<UInt8>) throws(Malformed) {
        for pair in query.split(separator: Ascii.ampersand) {
            let sides = pair.split(separator: Ascii.equals, maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let bytes = PercentEncoding.decode(sides[1]) else {
                throw Malformed(wanted: "name=value pairs after the ?")
            }
            let value = String(ascii: bytes)
            switch String(ascii: sides[0]) {
            case "endpoint": try readEndpoint(bytes)
            case "region":
                let isName = bytes.allSatisfy { Ascii.isLower($0) || Ascii.isDigit($0) || $0 == Ascii.dash }
                guard (1...64).contains(bytes.count), isName else {
                    throw Malformed(wanted: "a region of a-z 0-9 and -")
                }
                region = value
            case "style":
                guard let style = Style(rawValue: value) else { throw Malformed(wanted: "style=path or style=virtual") }
                self.style = style
            default: throw Malformed(wanted: "only endpoint, region and style after the ?")
            }
        }
    }

    private mutating func readEndpoint(_ bytes: [UInt8]) throws(Malformed) {
        let wanted = "an endpoint such as http://host:port, without a path"
        for (scheme, port) in [("http", ":80"), ("https", ":443")] {
            guard bytes.starts(with: (scheme + "://").utf8) else { continue }
            var host = bytes.dropFirst(scheme.utf8.count + 3)
            if host.last == Ascii.slash { host = host.dropLast() }
            let isHost = host.allSatisfy {
                Ascii.isLetter($0) || Ascii.isDigit($0)
                    || [Ascii.dash, Ascii.dot, Ascii.colon, 0x5B, 0x5D].contains($0)
            }
            guard isHost, !host.isEmpty, host.first != Ascii.colon else { throw Malformed(wanted: wanted) }
            // A client leaves the scheme's own port out of the Host field, which is signed.
            if host.count > port.utf8.count, host.suffix(port.utf8.count).elementsEqual(port.utf8) {
                host = host.dropLast(port.utf8.count)
            }
            (self.scheme, self.host) = (scheme, String(ascii: host))
            return
        }
        throw Malformed(wanted: wanted)
    }

    private static func isBucketByte(_ c: UInt8) -> Bool {
        Ascii.isLower(c) || Ascii.isDigit(c) || c == Ascii.dot || c == Ascii.dash
    }

    /// Of requests, and what is signed.
    var hostField: String { style == .path ? host : "\(bucket).\(host)" }

    /// The path of a key, which needs no encoding; of the bucket itself where `key` is empty.
    func path(of key: String) -> String { style == .path ? "/\(bucket)/\(key)" : "/\(key)" }

    /// The key of a name below the prefix.
    func key(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix)/\(name)" }
}

extension EngineAddress: CustomStringConvertible {
    public var description: String { "s3://\(bucket)/\(prefix) at \(scheme)://\(host)" }
}
