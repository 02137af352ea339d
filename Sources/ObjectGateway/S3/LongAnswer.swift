import Bytes
import HTTPServer
import Threads

/// The answer of an operation that may take minutes, such as a copy of many bytes.
///
/// When it is ready soon it is sent as any other. Otherwise the response begins with 200 and white space follows from time to
/// time, so that no client or proxy between takes the connection for dead; an error then stands in the body, as on AWS
/// (API/CopyObject: "the 200 OK response can contain either success or error information").
struct LongAnswer: Sendable {
    /// How long an ordinary answer may take, and the time between two spaces.
    static let patience = Duration.seconds(5)

    private static let declaration = [UInt8](#"<?xml version="1.0" encoding="UTF-8"?>"#.utf8)

    private enum State: Sendable {
        case running(Waiter<Bool>?, ticket: Int)
        case ready(Response)
        case taken
    }

    private let pool: Pool
    private let state = Lock<State>(.running(nil, ticket: 0))

    /// Starts `work` as a task of its own. `work` turns its errors into responses.
    private init(pool: Pool, _ work: @escaping @Sendable () async -> Response) {
        self.pool = pool
        pool.run { [state] in
            let response = await work()
            let waiter = state.withLock { state -> Waiter<Bool>? in
                guard case .running(let waiter, _) = state else { return nil }
                state = .ready(response)
                return waiter
            }
            waiter?.resume(true)
        }
    }

    static func response(
        pool: Pool, patience: Duration = patience, _ work: @escaping @Sendable () async -> Response
    ) async -> Response {
        let answer = LongAnswer(pool: pool, work)
        if let response = await answer.take(within: patience) { return response }
        var response = Response(status: 200)
        response.headers.add("content-type", "application/xml")
        response.body = .stream(length: nil) { writer in
            try await writer.write(declaration)
            while true {
                if let response = await answer.take(within: patience) {
                    return try await writer.write(document(of: response))
                }
                try await writer.write([Ascii.space])
            }
        }
        return response
    }

    /// The body without the declaration, which was sent at the beginning.
    private static func document(of response: Response) -> [UInt8] {
        guard case .bytes(let bytes) = response.body else { return [] }
        return bytes.starts(with: declaration) ? [UInt8](bytes.dropFirst(declaration.count)) : bytes
    }

    /// The response, once; nil when it is not ready within `limit`.
    private func take(within limit: Duration) async -> Response? {
        let isReady = await Waiter<Bool>.suspend { waiter in
            let ticket = state.withLock { state -> Int? in
                guard case .running(_, let last) = state else { return nil }
                state = .running(waiter, ticket: last + 1)
                return last + 1
            }
            guard let ticket else { return waiter.resume(true) }
            pool.run { [pool, state] in
                await pool.sleep(for: limit)
                let late = state.withLock { state -> Waiter<Bool>? in
                    guard case .running(let waiter, let current) = state, current == ticket else { return nil }
                    state = .running(nil, ticket: ticket)
                    return waiter
                }
                late?.resume(false)
            }
        }
        guard isReady else { return nil }
        return state.withLock { state in
            guard case .ready(let response) = state else { return nil }
            state = .taken
            return response
        }
    }
}
