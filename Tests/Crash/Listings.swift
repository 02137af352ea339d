import Bytes
import XML

/// What the two listings of a bucket say.
enum Listings {
    struct Object: Sendable, Equatable {
        var etag: String
        var size: Int
    }

    /// All pages; nil where one did not come.
    static func objects(_ session: Session, bucket: String, pageLength: Int = 1000) -> [String: Object]? {
        var objects: [String: Object] = [:]
        var token = ""
        repeat {
            let more =
                token.isEmpty ? "" : "continuation-token=\(String(ascii: PercentEncoding.encode([UInt8](token.utf8))))&"
            let query = "\(more)list-type=2&max-keys=\(pageLength)"
            guard case .answer(let answer) = session.call("GET", "/\(bucket)", query: query), answer.status == 200,
                let page = try? XMLDocument.parse(answer.body)
            else { return nil }
            for line in page.children("Contents") {
                objects[line.string("Key")] = Object(etag: line.string("ETag"), size: Int(line.string("Size")) ?? -1)
            }
            token = page.string("NextContinuationToken")
        } while !token.isEmpty
        return objects
    }

    /// All pages, in the order of the listing; nil where one did not come.
    static func versions(_ session: Session, bucket: String, pageLength: Int = 1000) -> [ListedVersion]? {
        var versions: [ListedVersion] = []
        var marker = ""
        repeat {
            let query = "\(marker.isEmpty ? "" : "key-marker=\(marker)&")max-keys=\(pageLength)&versions="
            guard case .answer(let answer) = session.call("GET", "/\(bucket)", query: query), answer.status == 200,
                let page = try? XMLDocument.parse(answer.body)
            else { return nil }
            for line in page.children where line.isNamed("Version") || line.isNamed("DeleteMarker") {
                versions.append(
                    ListedVersion(
                        key: line.string("Key"), versionID: line.string("VersionId"),
                        isMarker: line.isNamed("DeleteMarker"), isLatest: line.string("IsLatest") == "true",
                        etag: line.string("ETag"), size: Int(line.string("Size")) ?? 0))
            }
            let (key, version) = (page.string("NextKeyMarker"), page.string("NextVersionIdMarker"))
            marker = key.isEmpty ? "" : version.isEmpty ? key : "\(key)&version-id-marker=\(version)"
        } while !marker.isEmpty
        return versions
    }

    /// The ETags of an upload's parts, from the answer to ListParts.
    static func parts(_ body: [UInt8]) -> [Int: String] {
        guard let page = try? XMLDocument.parse(body) else { return [:] }
        return Dictionary(
            page.children("Part").map { (Int($0.string("PartNumber")) ?? 0, $0.string("ETag")) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension XMLElement {
    /// The text of a child; empty without one.
    func string(_ name: StaticString) -> String { String(ascii: text(of: name) ?? []) }
}
