import Bytes
import HTTPClient
import SigV4
import Synchronization
import Threads
import XML

/// Sends signed requests to the engine, and again where that may help.
final class EngineClient: Sendable {
    struct Request: Sendable {
        var method: String
        /// Empty for the bucket itself.
        var key: String
        var query: [(name: String, value: String)] = []
        var fields: [(name: String, value: String)] = []
        var body: [UInt8]?
        /// Longer than the usual where the engine works before it answers.
        var idleTimeout: Duration?
        /// Whoever asks wants to know how it is now.
        var isTriedOnce = false

        init(_ method: String, _ key: String) { (self.method, self.key) = (method, key) }
    }

    /// A response that was read to its end.
    struct Answer: Sendable {
        var head: StreamResponse
        var body: [UInt8]
    }

    let address: EngineAddress
    private let session: HTTPSession
    private let signer: Signer
    private let configuration: RemoteBlobsConfiguration
    private let pool: Pool
    private let budget = RetryBudget()
    /// Sent since the beginning, repetitions included.
    let requests = Atomic<UInt64>(0)
    let repetitions = Atomic<UInt64>(0)
    /// Of a document of the engine's, in bytes: a list of 1,000 keys takes some 300 KiB.
    private static let documentBytesMax = 4 << 20

    init(_ configuration: RemoteBlobsConfiguration, session: HTTPSession, pool: Pool) {
        self.configuration = configuration
        address = configuration.address
        self.session = session
        self.pool = pool
        signer = Signer(
            accessKey: configuration.accessKey, secret: configuration.secretKey,
            region: configuration.address.region.utf8)
    }

    /// Sends and reads the answer whole, with at most `bytesMax` bytes of body.
    func call(_ request: Request, bytesMax: Int = documentBytesMax) async throws(EngineError) -> Answer {
        var attempt = 0
        while true {
            do throws(EngineError) {
                let response = try await send(request)
                let body = try await Self.rest(of: response, bytesMax: bytesMax)
                budget.succeed()
                return Answer(head: response, body: body)
            } catch {
                attempt += 1
                if request.isTriedOnce { throw error }
                try await pause(after: error, attempt: attempt)
            }
        }
    }

    /// Sends, and returns with the head of the answer. Its body may still break off.
    func open(_ request: Request) async throws(EngineError) -> StreamResponse {
        var attempt = 0
        while true {
            do throws(EngineError) {
                let response = try await send(request)
                budget.succeed()
                return response
            } catch {
                attempt += 1
                try await pause(after: error, attempt: attempt)
            }
        }
    }

    /// Waits before a repetition: `attempt` is how often it failed. Throws the error where nothing is to be repeated.
    func pause(after error: EngineError, attempt: Int) async throws(EngineError) {
        guard error.isTransient, attempt < configuration.attemptsMax, budget.take() else { throw error }
        repetitions.add(1, ordering: .relaxed)
        let longest_ms = 100 << min(attempt - 1, 5)
        await pool.sleep(for: .milliseconds(Int.random(in: longest_ms / 2...longest_ms)))
    }

    /// One attempt. Throws `refused` for every status that is no success.
    private func send(_ request: Request) async throws(EngineError) -> StreamResponse {
        let outgoing = try signed(request)
        requests.add(1, ordering: .relaxed)
        let response: StreamResponse
        do { response = try await session.send(outgoing) } catch { throw .transport(error) }
        if (200...299).contains(response.status) { return response }
        // The code is for telling errors apart and for the log: a document that cannot be read does not matter.
        let document = (try? await Self.rest(of: response, bytesMax: 64 << 10)) ?? []
        throw .refused(status: response.status, code: Self.code(of: document))
    }

    private func signed(_ request: Request) throws(EngineError) -> StreamRequest {
        let path = address.path(of: request.key)
        let query = request.query
            .map { "\($0.name)=\(String(ascii: PercentEncoding.encode([UInt8]($0.value.utf8))))" }
            .joined(separator: "&")
        let fields = (request.fields + [(name: "host", value: address.hostField)]).map { field in
            (name: [UInt8](field.name.utf8), value: [UInt8](field.value.utf8))
        }
        guard
            let signed = signer.sign(
                method: request.method, path: [UInt8](path.utf8), query: [UInt8](query.utf8), fields: fields,
                payload: .unsigned, at: .now())
        else { throw .malformed("the address of \(request.key)") }
        let headers = signed.fields.map { (name: String(ascii: $0.name), value: String(ascii: $0.value)) }
        var limits = StreamLimits()
        limits.connectTimeout = configuration.connectTimeout
        limits.idleTimeout = request.idleTimeout ?? configuration.idleTimeout
        return StreamRequest(
            request.method, url: "\(address.scheme)://\(address.hostField)\(path)\(query.isEmpty ? "" : "?" + query)",
            headers: headers.filter { $0.name != "host" }, body: request.body, limits: limits)
    }

    static func rest(of response: StreamResponse, bytesMax: Int) async throws(EngineError) -> [UInt8] {
        do { return try await response.rest(bytesMax: bytesMax) } catch { throw .transport(error) }
    }

    private static func code(of document: [UInt8]) -> String {
        guard !document.isEmpty, let root = try? XMLDocument.parse(document) else { return "" }
        return String(ascii: (root.text(of: "Code") ?? []).prefix(64))
    }

    /// The root of a document, which must be of this name. Some operations answer 200 and then say in the document that they
    /// failed (API/CompleteMultipartUpload, API/CopyObject).
    static func document(_ body: [UInt8], _ name: StaticString) throws(EngineError) -> XMLElement {
        guard let root = try? XMLDocument.parse(body) else { throw .malformed("no XML") }
        if root.isNamed("Error") { throw .refused(status: 500, code: String(ascii: root.text(of: "Code") ?? [])) }
        guard root.isNamed(name) else { throw .malformed("not \(name)") }
        return root
    }
}
