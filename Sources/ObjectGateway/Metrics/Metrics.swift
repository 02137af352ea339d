import Bytes
import Glibc
import Threads

/// What the process counts about itself, for `/metrics`. Recording a request takes a few atomic additions and no lock.
public final class Metrics: Sendable {
    /// A value that is read when the metrics are asked for.
    struct Source: Sendable {
        var name: String
        var kind: PrometheusText.Kind
        var help: String
        var labels: [(String, String)] = []
        var value: @Sendable () -> Double
    }

    /// Values of one name, read when the metrics are asked for, whose labels change.
    struct Family: Sendable {
        var name: String
        var kind: PrometheusText.Kind
        var help: String
        var samples: @Sendable () -> [(labels: [(String, String)], value: Double)]
    }

    private struct ServicesKey: Hashable {
        var method: String
        var endpoint: String
        var status: Int
    }

    private let operations: OperationMetrics
    private let sources = Lock<[Source]>([])
    private let families = Lock<[Family]>([])
    private let services = Lock<[ServicesKey: UInt64]>([:])
    private let started: Timestamp

    /// `operations` are the names in the operation table; `recordRequest` names them by place.
    public init(operations: [StaticString]) {
        self.operations = OperationMetrics(operations: operations)
        started = .now()
    }

    /// An `operation` that is not a place in the table counts as `Unknown`.
    public func recordRequest(operation: Int, status: Int, duration: Duration, bytesIn: UInt64, bytesOut: UInt64) {
        operations.record(
            operation: operation, status: status, duration: duration, bytesIn: bytesIn, bytesOut: bytesOut)
    }

    /// Counts a request to the services listener. `endpoint` is a route's template or `unmatched`, never a path that a
    /// client sent, so the number of series is bounded by the routes.
    func recordServicesRequest(method: String, endpoint: String, status: Int) {
        services.withLock { $0[ServicesKey(method: method, endpoint: endpoint, status: status), default: 0] += 1 }
    }

    /// Adds a value that is read at each rendering. Sources of one name stand together in the order they were added.
    func add(_ source: Source) { sources.withLock { $0.append(source) } }

    func add(_ family: Family) { families.withLock { $0.append(family) } }

    /// The Prometheus text form, content type `text/plain; version=0.0.4`. Reads files of /proc: it may block shortly.
    public func render() -> [UInt8] {
        var text = PrometheusText()
        operations.render(into: &text)
        renderServices(into: &text)
        renderSources(into: &text)
        for family in families.withLock({ $0 }) {
            text.family(family.name, family.kind, family.help)
            for sample in family.samples() { text.sample(family.name, sample.labels, sample.value) }
        }
        ProcessStatus.read().render(started: started, into: &text)
        return text.bytes
    }

    private func renderServices(into text: inout PrometheusText) {
        let counts = services.withLock { $0 }
        text.family("http_requests_total", .counter, "Requests to the services listener.")
        let ordered = counts.sorted { a, b in
            (a.key.endpoint, a.key.method, a.key.status) < (b.key.endpoint, b.key.method, b.key.status)
        }
        for (key, count) in ordered {
            text.sample(
                "http_requests_total",
                [("method", key.method), ("endpoint", key.endpoint), ("status", "\(key.status)")], count)
        }
    }

    private func renderSources(into text: inout PrometheusText) {
        var rest = sources.withLock { $0 }
        while let first = rest.first {
            text.family(first.name, first.kind, first.help)
            for source in rest where source.name == first.name {
                text.sample(source.name, source.labels, source.value())
            }
            rest.removeAll { $0.name == first.name }
        }
    }
}
