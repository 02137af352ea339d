import Bytes
import Files
public import JSON
public import Threads

/// What the control surface answered.
public struct ControlAnswer: Sendable {
    /// As in HTTP.
    public let status: Int
    /// The result, or a problem document; null for an answer without content.
    public let value: JSONValue

    public var isSuccess: Bool { (200...299).contains(status) }
}

/// The way of a command to the store: through the socket of the gateway that serves the folder, or, where none does, by
/// opening the store under its lock. The same routes answer either way.
public final class ControlCaller: Sendable {
    private enum Way {
        case socket(ControlClient)
        case opened(OpenStore, RouteTable)
    }

    private let way: Way
    private let pool: Pool

    private init(_ way: Way, pool: Pool) {
        self.way = way
        self.pool = pool
    }

    /// Throws where the folder holds no store, or one that cannot be opened.
    public static func reach(
        _ configuration: GatewayConfiguration, pool: Pool, log: Log
    ) async throws(StartError) -> ControlCaller {
        let deadline = ContinuousClock.now + startPeriod
        while true {
            do throws(StartError) {
                return try await reachOnce(configuration, pool: pool, log: log)
            } catch {
                guard error.isHeld, ContinuousClock.now < deadline else { throw error }
            }
            await pool.sleep(for: .milliseconds(100))
        }
    }

    /// A gateway has its folder before it has its socket: meanwhile it recovers what is stored, or looks for its database.
    private static let startPeriod = Duration.seconds(15)

    private static func reachOnce(
        _ configuration: GatewayConfiguration, pool: Pool, log: Log
    ) async throws(StartError) -> ControlCaller {
        let folder = configuration.data
        let client = ControlClient(path: ControlSocket.path(in: folder))
        do throws(SystemError) {
            let isServed = try pool.blocking { () throws(SystemError) in try client.connect() != nil }
            if isServed { return ControlCaller(.socket(client), pool: pool) }
        } catch {
            throw StartError("The gateway that serves \(folder) cannot be reached: \(error).")
        }
        guard OpenStore.exists(in: folder) else {
            throw StartError("OGW_DATA is \"\(folder)\": wanted the folder of a store (`ogw serve` makes one).")
        }
        let store = try await OpenStore.open(configuration, pool: pool)
        return ControlCaller(.opened(store, store.controlTable(log: log)), pool: pool)
    }

    /// `path` consists of segments that `segment` encoded, and may have a query. `method` is one that a route has, else the answer is 405.
    public func call(_ method: String, _ path: String, _ body: JSONValue = .null) async throws(StartError)
        -> ControlAnswer
    {
        switch way {
        case .opened(_, let table):
            let answer = await table.answer(method: method, path: path, body: body)
            return ControlAnswer(status: answer.status, value: answer.value ?? .null)
        case .socket(let client):
            do {
                return try pool.blocking {
                    guard let connection = try client.connect() else {
                        throw StartError("The gateway stopped before it could be asked.")
                    }
                    return try client.call(method, path, body, on: connection)
                }
            } catch let error as StartError {
                throw error
            } catch {
                throw StartError("The gateway did not answer: \(error).")
            }
        }
    }

    /// Closes the store where this command had opened it.
    public func close() async {
        if case .opened(let store, _) = way { await store.close() }
    }

    /// Where the gateway of a data folder listens for commands.
    public static func socketPath(in folder: String) -> String { ControlSocket.path(in: folder) }

    /// A name as one segment of a path.
    public static func segment(_ name: String) -> String { String(ascii: PercentEncoding.encode(name.utf8)) }
}
