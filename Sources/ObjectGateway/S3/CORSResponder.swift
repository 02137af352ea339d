import Bytes
import HTTPServer
import Metadata
import Threads

/// Answers browsers that ask on behalf of pages of other origins (API/RESTOPTIONSobject, fetch.spec.whatwg.org "CORS protocol").
final class CORSResponder: Sendable {
    private let services: Services
    private let domains: [[UInt8]]
    /// What was read of the documents of buckets, as long as they are the same.
    private let known = Lock<[BucketID: Known]>([:])

    private struct Known {
        var document: [UInt8]
        var configuration: CORSConfiguration
    }

    private static let knownCountMax = 1_000
    private static let requestedHeadersMax = 100

    init(services: Services, domains: [[UInt8]]) { (self.services, self.domains) = (services, domains) }

    /// A preflight carries no credentials. Where the bucket has no rules, or is not there, it is told the same.
    func preflight(_ head: RequestHead) async throws -> Response {
        guard let origin = head.first("origin"), !origin.isEmpty else {
            throw S3Error(.badRequest, "Insufficient information. Origin request header needed.")
        }
        guard let method = head.first("access-control-request-method") else {
            throw S3Error(.badRequest, "Invalid Access-Control-Request-Method: null")
        }
        guard let configuration = try await configuration(of: head) else { throw S3Error(.accessForbidden) }
        let wanted = head.first("access-control-request-headers").map { text in
            Ascii.split(text, at: Ascii.comma).map { Ascii.lowered(Ascii.trimmed($0)) }.filter { !$0.isEmpty }
        }
        let headers = wanted ?? []
        guard headers.count <= Self.requestedHeadersMax,
            let found = configuration.rule(origin: origin, method: method, headers: headers)
        else { throw Self.notAllowed }
        var response = Response(status: 200, body: .bytes([]))
        Self.allow(found.rule, found.origin, origin, &response.headers)
        if !headers.isEmpty {
            response.headers.add("access-control-allow-headers", headers.joined(separator: ", ".utf8))
        }
        return response
    }

    /// Tells a browser that a page of the request's origin may have the response, where a rule says so.
    func mark(_ response: inout Response, to head: RequestHead) async {
        guard let origin = head.first("origin"), !origin.isEmpty,
            let configuration = try? await configuration(of: head),
            let found = configuration.rule(origin: origin, method: head.methodBytes)
        else { return }
        Self.allow(found.rule, found.origin, origin, &response.headers)
    }

    /// `pattern` is the one of the rule's that `origin` matched.
    private static func allow(
        _ rule: CORSConfiguration.Rule, _ pattern: [UInt8], _ origin: ArraySlice<UInt8>, _ headers: inout HeaderBlock
    ) {
        let isForAll = pattern == [Ascii.asterisk]
        headers.add("access-control-allow-origin", isForAll ? pattern : [UInt8](origin))
        if !isForAll { headers.add("access-control-allow-credentials", text: "true") }
        headers.add("access-control-allow-methods", rule.methods.joined(separator: ", ".utf8))
        if !rule.exposedHeaders.isEmpty {
            headers.add("access-control-expose-headers", rule.exposedHeaders.joined(separator: ", ".utf8))
        }
        if let seconds = rule.maxAge_s { headers.add("access-control-max-age", UInt64(seconds)) }
        headers.add("vary", text: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
    }

    private func configuration(of head: RequestHead) async throws -> CORSConfiguration? {
        guard let name = (try? RequestTarget(head, domains: domains))?.bucket,
            let bucket = try await services.metadata.bucket(named: name),
            let document = bucket.configuration[.cors]
        else { return nil }
        if let known = known.withLock({ $0[bucket.id] }), known.document == document { return known.configuration }
        let configuration = try CORSConfiguration(try S3Document.parse(document))
        known.withLock { known in
            if known.count >= Self.knownCountMax { known.removeAll() }
            known[bucket.id] = Known(document: document, configuration: configuration)
        }
        return configuration
    }

    private static var notAllowed: S3Error {
        S3Error(
            .accessForbidden,
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
        )
    }
}
