import HTTPServer
import Metadata
import Synchronization
import Threads

/// What the listeners answer: 503 until the store is open, and from then on the store's answers. It opens once.
final class Door: Sendable {
    /// What stands behind it.
    final class Surface: Sendable {
        let gateway: Gateway
        let services: RouteTable
        let control: RouteTable
        let workers: WorkerRoutes

        init(gateway: Gateway, services: RouteTable, control: RouteTable, workers: WorkerRoutes) {
            (self.gateway, self.services, self.control, self.workers) = (gateway, services, control, workers)
        }
    }

    private let opened = AtomicLazyReference<Surface>()
    private let waiting: RouteTable
    /// The store is open before the listeners are: what comes in the moment between is held, not refused.
    private let opensAtOnce: Bool
    /// Milliseconds that a request is held.
    private static let holdMax_ms = 5_000

    /// `waiting` are the routes of the services listener that need no store.
    init(waiting: RouteTable, opensAtOnce: Bool) { (self.waiting, self.opensAtOnce) = (waiting, opensAtOnce) }

    /// Returns when the door is open, or need not be waited for.
    func pass(on pool: Pool) async {
        guard opensAtOnce else { return }
        for _ in 0..<Self.holdMax_ms {
            if opened.load() != nil { return }
            await pool.sleep(for: .milliseconds(1))
        }
    }

    func open(_ surface: Surface) { _ = opened.storeIfNil(surface) }

    /// Nil while the store is not open.
    var gateway: Gateway? { opened.load()?.gateway }
    var workers: WorkerRoutes? { opened.load()?.workers }
    var services: RouteTable { opened.load()?.services ?? waiting }
    /// What commands of the same machine ask.
    var control: RouteTable { opened.load()?.control ?? waiting }

    /// What a path of the services listener says that has to wait.
    static let problem = Problem(503, "Unavailable", "The store cannot be reached yet; try again.")

    /// What an S3 client is told: one that tries again, as all do, sees no error once the store is there.
    static func refusal(of request: Request) -> Response {
        let id = RequestID.next()
        let error = S3Error(.slowDown)
        var response = Response(status: error.code.status, headers: error.headers)
        response.headers.add("x-amz-request-id", id.text)
        response.headers.add("server", text: "ObjectGateway")
        response.headers.add("retry-after", "1")
        response.headers.add("content-type", "application/xml")
        response.body =
            request.head.method == .head
            ? .headOnly(length: 0)
            : .bytes(error.document(resource: request.head.path, requestID: id.text, hostID: []))
        return response
    }
}
