import Bytes
import JSON
import Testing

@testable import ObjectGateway

@Suite struct MetricsTests {
    private func lines(_ metrics: Metrics) -> [String] {
        String(ascii: metrics.render()).split(separator: "\n").map(String.init)
    }

    @Test func `requests are counted by operation and status, with bytes`() {
        let metrics = Metrics(operations: ["GetObject", "PutObject"])
        for status in [200, 200, 404] {
            metrics.recordRequest(operation: 0, status: status, duration: .milliseconds(3), bytesIn: 1, bytesOut: 10)
        }
        let lines = lines(metrics)
        #expect(lines.contains("ogw_s3_requests_total{operation=\"GetObject\",status=\"200\"} 2"))
        #expect(lines.contains("ogw_s3_requests_total{operation=\"GetObject\",status=\"404\"} 1"))
        #expect(lines.contains("ogw_s3_received_bytes_total{operation=\"GetObject\"} 3"))
        #expect(lines.contains("ogw_s3_sent_bytes_total{operation=\"GetObject\"} 30"))
        #expect(!lines.contains { $0.contains("PutObject") })
    }

    @Test func `histogram buckets are cumulative and end with the count`() {
        let metrics = Metrics(operations: ["GetObject"])
        for duration in [Duration.microseconds(250), .microseconds(251), .milliseconds(40), .seconds(3600)] {
            metrics.recordRequest(operation: 0, status: 200, duration: duration, bytesIn: 0, bytesOut: 0)
        }
        let lines = lines(metrics)
        let name = "ogw_s3_request_duration_seconds"
        #expect(lines.contains("\(name)_bucket{operation=\"GetObject\",le=\"0.00025\"} 1"))
        #expect(lines.contains("\(name)_bucket{operation=\"GetObject\",le=\"0.0005\"} 2"))
        #expect(lines.contains("\(name)_bucket{operation=\"GetObject\",le=\"0.05\"} 3"))
        #expect(lines.contains("\(name)_bucket{operation=\"GetObject\",le=\"60\"} 3"))
        #expect(lines.contains("\(name)_bucket{operation=\"GetObject\",le=\"+Inf\"} 4"))
        #expect(lines.contains("\(name)_count{operation=\"GetObject\"} 4"))
        #expect(lines.contains("\(name)_sum{operation=\"GetObject\"} 3600.040501"))
    }

    @Test func `places and statuses outside the tables are counted, not dropped`() {
        let metrics = Metrics(operations: ["GetObject"])
        for (operation, status) in [(-1, 200), (7, 999), (Int.max, -5)] {
            metrics.recordRequest(operation: operation, status: status, duration: .zero, bytesIn: 0, bytesOut: 0)
        }
        let lines = lines(metrics)
        #expect(lines.contains("ogw_s3_requests_total{operation=\"Unknown\",status=\"200\"} 1"))
        #expect(lines.contains("ogw_s3_requests_total{operation=\"Unknown\",status=\"other\"} 2"))
    }

    @Test func `the text is well formed: every sample follows its own family's type line, once`() {
        let metrics = Metrics(operations: ["GetObject"])
        metrics.recordRequest(operation: 0, status: 200, duration: .milliseconds(1), bytesIn: 5, bytesOut: 5)
        metrics.recordServicesRequest(method: "GET", endpoint: "/health/{kind}", status: 200)
        metrics.add(
            .init(name: "ogw_connections", kind: .gauge, help: "a\nb", labels: [("listener", "s\"3\n")], value: { 2 }))
        metrics.add(.init(name: "ogw_other", kind: .counter, help: "other", value: { 0.5 }))
        metrics.add(
            .init(name: "ogw_connections", kind: .gauge, help: "a\nb", labels: [("listener", "services")], value: { 3 })
        )
        var types: [String: String] = [:]
        var current = ""
        var samples: Set<String> = []
        for line in lines(metrics) {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                current = String(words[2])
                #expect(types.updateValue(String(words[3]), forKey: current) == nil, "\(current) twice")
            } else if !line.hasPrefix("# HELP ") {
                let series = String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)])
                #expect(samples.insert(series).inserted, "\(series) twice")
                let name = String(series.prefix { $0 != "{" })
                let allowed =
                    types[current] == "histogram" ? ["_bucket", "_sum", "_count"].map { current + $0 } : [current]
                #expect(allowed.contains(name), "\(name) under \(current)")
                #expect(line.split(separator: " ").last.flatMap { Double(String($0)) } != nil)
            }
        }
        #expect(samples.contains("ogw_connections{listener=\"s\\\"3\\n\"}"))
        #expect(types["process_resident_memory_bytes"] == "gauge")
    }

    @Test func `counts of many threads add up`() async {
        let metrics = Metrics(operations: ["GetObject"])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        metrics.recordRequest(
                            operation: 0, status: 200, duration: .milliseconds(1), bytesIn: 0, bytesOut: 0)
                    }
                }
            }
        }
        #expect(lines(metrics).contains("ogw_s3_requests_total{operation=\"GetObject\",status=\"200\"} 8000"))
    }
}
