import SQLite

@testable import Metadata

/// All rows of a database, to be compared.
enum Tables {
    /// Schemas before the sixth have no jobs, nor targets.
    static func dump(_ connection: Connection, hasJobs: Bool = true) throws -> [[[UInt8]?]] {
        var tables: [(StaticString, Int32)] = [
            ("SELECT * FROM buckets ORDER BY 1", 6), ("SELECT * FROM versions ORDER BY 1, 2, 3", 17),
            ("SELECT * FROM manifests ORDER BY 1", 2), ("SELECT * FROM uploads ORDER BY 1", 9),
            ("SELECT * FROM parts ORDER BY 1, 2", 8), ("SELECT * FROM completed_uploads ORDER BY 1", 4),
            ("SELECT * FROM users ORDER BY 1", 7), ("SELECT * FROM gc_queue ORDER BY 1", 2),
            ("SELECT * FROM blobs ORDER BY 1", 5), (liveBytes, 2),
            ("SELECT sequence, last_blob FROM view_state", 2), ("SELECT * FROM assets ORDER BY 1, 2", 10),
            ("SELECT * FROM asset_changes ORDER BY 1", 3),
        ]
        if hasJobs {
            tables += [
                ("SELECT * FROM hooks ORDER BY 1, 2", 4), ("SELECT * FROM events ORDER BY 1", 3),
                ("SELECT * FROM job_state", 2), ("SELECT * FROM job_groups ORDER BY 1", 5),
                ("SELECT * FROM jobs ORDER BY 1", 8), ("SELECT * FROM targets ORDER BY 1", 4),
            ]
        }
        var rows: [[[UInt8]?]] = []
        for (sql, width) in tables {
            try connection.with(sql) { (row) throws in
                while try row.step() { rows.append((0..<width).map { row.optionalBytes($0) }) }
            }
        }
        return rows
    }

    private static let liveBytes: StaticString = """
        SELECT number, sum(live) FROM (
            SELECT number, live FROM segments UNION ALL SELECT uncounted_segment, uncounted FROM view_state
        ) GROUP BY number HAVING sum(live) <> 0 ORDER BY number
        """

    static func dump(_ path: String, hasJobs: Bool = true) throws -> [[[UInt8]?]] {
        try dump(Connection.open(path, mode: .queryOnly), hasJobs: hasJobs)
    }
}
