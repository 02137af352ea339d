import Files
import Glibc
import HTTPClient
import Threads

/// Logos that were fetched, by their ETags, so that each is fetched once. In a folder that no decoder sees.
final class LogoCache: Sendable {
    private struct Entry {
        var etag: String
        var path: String
    }

    private struct State {
        /// By the URL, or by the ETag of an object; the oldest first in `order`.
        var entries: [String: Entry] = [:]
        var order: [String] = []
        var number = 0
    }

    private let folder: String
    private let session: HTTPSession
    private let state = Lock(State())
    private static let countMax = 16
    static let sizeMax: UInt64 = 64 << 20

    init(folder: String, session: HTTPSession) { (self.folder, self.session) = (folder, session) }

    /// Puts the logo into the file at `path`.
    func fetch(
        _ logo: Assignment.Logo, of job: Assignment, gateway: GatewayClient, outbound: OutboundRules, pool: Pool,
        to path: String
    ) async throws {
        let kept: String
        switch logo {
        case .object(let etag):
            if let known = entry("object:\(etag)") {
                kept = known.path
            } else {
                kept = newPath()
                _ = try await gateway.download("logo", of: job, to: kept)
                keep("object:\(etag)", Entry(etag: etag, path: kept))
            }
        case .url(let url): kept = try await download(url, outbound, pool)
        }
        // A copy: what a decoder might do to the file must not come back with the next picture.
        try pool.blocking { try Self.copy(kept, to: path) }
    }

    private func download(_ url: String, _ outbound: OutboundRules, _ pool: Pool) async throws -> String {
        let known = entry(url)
        var request = StreamRequest(
            url: url, headers: known.map { [("if-none-match", $0.etag)] } ?? [],
            limits: StreamLimits(idleTimeout: .seconds(15), timeout: .seconds(60)))
        request.isPublicOnly = !outbound.mayBePrivate(url)
        let response: StreamResponse
        do throws(HTTPClientError) { response = try await session.send(request) } catch {
            throw StepFailure(reason: "the logo \(url): \(error)", isPermanent: error == .privateAddress)
        }
        if response.status == 304, let known { return known.path }
        guard response.status == 200 else {
            throw StepFailure(reason: "the logo \(url): the server answered \(response.status)")
        }
        let path = newPath()
        do {
            _ = try await response.save(to: path, bytesMax: Self.sizeMax, pool: pool)
        } catch is FileTooLarge {
            throw StepFailure(reason: "the logo \(url) has more than \(Self.sizeMax) bytes", isPermanent: true)
        } catch {
            throw StepFailure(reason: "the logo \(url) did not come whole: \(error)")
        }
        // One without an ETag is fetched each time.
        keep(url, Entry(etag: response.header("etag") ?? "", path: path))
        return path
    }

    private func entry(_ name: String) -> Entry? {
        state.withLock { state in state.entries[name].flatMap { $0.etag.isEmpty ? nil : $0 } }
    }

    private func newPath() -> String {
        state.withLock { state in
            state.number += 1
            return "\(folder)/\(state.number)"
        }
    }

    private func keep(_ name: String, _ entry: Entry) {
        let gone = state.withLock { state in
            var gone = [state.entries[name]?.path]
            state.order.removeAll { $0 == name }
            state.entries[name] = entry
            state.order.append(name)
            if state.order.count > Self.countMax {
                gone.append(state.entries.removeValue(forKey: state.order.removeFirst())?.path)
            }
            return gone.compactMap(\.self)
        }
        for path in gone { _ = try? LinuxDisk().remove(path) }
    }

    private static func copy(_ source: String, to target: String) throws(SystemError) {
        let (from, to) = (
            try OpenFile.open(source, flags: O_RDONLY), try OpenFile.open(target, flags: O_WRONLY | O_CREAT | O_EXCL)
        )
        var offset: UInt64 = 0
        while true {
            let piece = try from.read(at: offset, count: 1 << 20)
            if piece.isEmpty { return }
            try to.write(piece.span, at: offset)
            offset += UInt64(piece.count)
        }
    }
}
