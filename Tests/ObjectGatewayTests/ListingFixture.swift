import Bytes
import JSON
import Testing
import XML

@testable import ObjectGateway

extension GatewayFixture {
    /// Stores an object of no bytes under each key.
    func putAll(_ keys: [String]) async throws {
        for key in keys { try await put(key, []) }
    }

    func list(_ query: String) async throws -> XMLElement {
        try await send("GET", "/bucket", query).xml("ListBucketResult")
    }
}

extension XMLElement {
    var keys: [String] { strings("Contents", "Key") }
    var prefixes: [String] { strings("CommonPrefixes", "Prefix") }
    var isTruncated: Bool { string("IsTruncated") == "true" }
}

func encoded(_ text: String) -> String { String(ascii: PercentEncoding.encode(bytes(text))) }
