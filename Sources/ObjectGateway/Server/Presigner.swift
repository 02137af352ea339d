public import Bytes
import SigV4

/// Makes presigned URLs, path style.
public struct Presigner: Sendable {
    public static let expiresRule = "1 second to 7 days"

    private let signer: Signer
    /// `http` or `https`.
    private let scheme: String
    /// With the port where it is not the scheme's own, as clients send it.
    private let host: String
    private let basePath: [UInt8]

    /// Nil unless `endpoint` is an http or https URL.
    public init?(endpoint: String, accessKey: [UInt8], secret: [UInt8], region: String) {
        let parts = endpoint.utf8.split(separator: Ascii.slash, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty, !parts[2].isEmpty,
            parts[0].elementsEqual("http:".utf8) || parts[0].elementsEqual("https:".utf8)
        else { return nil }
        scheme = String(ascii: parts[0].dropLast())
        let defaultPort = [UInt8]((scheme == "http" ? ":80" : ":443").utf8)
        let authority = [UInt8](parts[2])
        let isDefault =
            authority.count > defaultPort.count && authority.suffix(defaultPort.count).elementsEqual(defaultPort)
        host = String(ascii: isDefault ? authority.dropLast(defaultPort.count) : authority[...])
        var path = parts.count > 3 ? [Ascii.slash] + [UInt8](parts[3]) : []
        while path.last == Ascii.slash { path.removeLast() }
        basePath = path
        signer = Signer(accessKey: accessKey, secret: secret, region: region.utf8)
    }

    /// Nil where `expires` is not 1 s to 7 days. `key` is as the object is named, not encoded.
    public func url(
        method: String, bucket: String, key: [UInt8], versionID: String? = nil, expires: Duration,
        at moment: Timestamp? = nil
    ) -> String? {
        let path =
            basePath + [Ascii.slash] + bucket.utf8 + [Ascii.slash] + PercentEncoding.encode(key, keepingSlash: true)
        let query = versionID.map { [UInt8]("versionId=".utf8) + PercentEncoding.encode($0.utf8) } ?? []
        let target = signer.presign(
            method: method, host: [UInt8](host.utf8), path: path, query: query,
            expires_s: expires.components.seconds, at: moment ?? .now())
        return target.map { "\(scheme)://\(host)\(String(ascii: $0))" }
    }
}
