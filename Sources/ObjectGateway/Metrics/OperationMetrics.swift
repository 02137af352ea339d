import Threads

/// Counters of requests by operation: statuses, latency buckets, bytes.
struct OperationMetrics: Sendable {
    /// Upper bounds of the latency buckets, in microseconds; the last bucket has none.
    static let boundsMicroseconds: [UInt64] = [
        250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        10_000_000, 60_000_000,
    ]
    /// The statuses that are told apart; any other counts under the last, `other`.
    static let statuses = [
        200, 202, 204, 206, 301, 304, 307, 400, 403, 404, 405, 408, 409, 411, 412, 413, 416, 417, 429, 499, 500, 501,
        503, 507,
    ]

    let operations: [StaticString]
    private let table: CounterTable
    private static let bucketsPlace = statuses.count + 1
    private static let sumPlace = bucketsPlace + boundsMicroseconds.count + 1
    private static let width = sumPlace + 3
    private static let statusPlaces: [UInt8] = (0..<600).map { status in
        UInt8(truncatingIfNeeded: statuses.firstIndex(of: status) ?? statuses.count)
    }

    /// One more operation, `Unknown`, takes what no index names.
    init(operations: [StaticString]) {
        self.operations = operations + ["Unknown"]
        table = CounterTable(count: self.operations.count * Self.width)
    }

    func record(operation: Int, status: Int, duration: Duration, bytesIn: UInt64, bytesOut: UInt64) {
        let row = operation >= 0 && operation < operations.count ? operation : operations.count - 1
        let start = row * Self.width
        let microseconds = duration.microseconds
        let statusPlace =
            status >= 0 && status < Self.statusPlaces.count ? Int(Self.statusPlaces[status]) : Self.statuses.count
        let shard = CounterTable.shard()
        table.add(1, to: start + statusPlace, shard: shard)
        table.add(1, to: start + Self.bucketsPlace + Self.bucket(of: microseconds), shard: shard)
        table.add(microseconds, to: start + Self.sumPlace, shard: shard)
        table.add(bytesIn, to: start + Self.sumPlace + 1, shard: shard)
        table.add(bytesOut, to: start + Self.sumPlace + 2, shard: shard)
    }

    static func bucket(of microseconds: UInt64) -> Int {
        var place = 0
        for bound in boundsMicroseconds {
            if microseconds <= bound { return place }
            place += 1
        }
        return place
    }

    /// Operations that have seen no request are left out.
    func render(into text: inout PrometheusText) {
        let rows = operations.indices.filter { row in (0...Self.statuses.count).contains { value(row, $0) > 0 } }
        text.family("ogw_s3_requests_total", .counter, "S3 requests by operation and status.")
        for row in rows {
            for (place, status) in (Self.statuses.map { "\($0)" } + ["other"]).enumerated() {
                let count = value(row, place)
                if count > 0 {
                    text.sample("ogw_s3_requests_total", [("operation", name(row)), ("status", status)], count)
                }
            }
        }
        text.family("ogw_s3_request_duration_seconds", .histogram, "Time from a request's head to its answer's end.")
        for row in rows { renderHistogram(row, into: &text) }
        text.family("ogw_s3_received_bytes_total", .counter, "Bytes of request bodies.")
        for row in rows {
            text.sample("ogw_s3_received_bytes_total", [("operation", name(row))], value(row, Self.sumPlace + 1))
        }
        text.family("ogw_s3_sent_bytes_total", .counter, "Bytes of response bodies.")
        for row in rows {
            text.sample("ogw_s3_sent_bytes_total", [("operation", name(row))], value(row, Self.sumPlace + 2))
        }
    }

    private func renderHistogram(_ row: Int, into text: inout PrometheusText) {
        let name = name(row)
        var total: UInt64 = 0
        for (place, bound) in Self.boundsMicroseconds.enumerated() {
            total &+= value(row, Self.bucketsPlace + place)
            text.sample(
                "ogw_s3_request_duration_seconds_bucket",
                [("operation", name), ("le", PrometheusText.seconds(microseconds: bound))], total)
        }
        total &+= value(row, Self.bucketsPlace + Self.boundsMicroseconds.count)
        text.sample("ogw_s3_request_duration_seconds_bucket", [("operation", name), ("le", "+Inf")], total)
        text.sample(
            "ogw_s3_request_duration_seconds_sum", [("operation", name)],
            PrometheusText.seconds(microseconds: value(row, Self.sumPlace)))
        text.sample("ogw_s3_request_duration_seconds_count", [("operation", name)], total)
    }

    private func name(_ row: Int) -> String { operations[row].description }
    private func value(_ row: Int, _ place: Int) -> UInt64 { table.value(of: row * Self.width + place) }
}
