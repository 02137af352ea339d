import Bytes
import SQLite

extension Rows {
    // MARK: Targets

    /// In order of name.
    func targets() throws(MetadataError) -> [StoredTarget] {
        try connection.with("SELECT * FROM targets ORDER BY name") { (row) throws(MetadataError) in
            var found: [StoredTarget] = []
            while try row.next() { found.append(try Self.target(at: row)) }
            return found
        }
    }

    func target(named name: String) throws(MetadataError) -> StoredTarget? {
        try connection.with("SELECT * FROM targets WHERE name = ?1") { (row) throws(MetadataError) in
            row.bind(name, at: 1)
            return try row.next() ? try Self.target(at: row) : nil
        }
    }

    private static func target(at row: Statement) throws(MetadataError) -> StoredTarget {
        var target = try Records.target(row.bytes(1))
        target.position = row.int64(2)
        target.droppedCount = row.int64(3)
        return target
    }
}

extension Connection {
    func put(_ target: StoredTarget) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO targets VALUES (?1, ?2, ?3, ?4)") {
            $0.bind(target.name, at: 1)
            $0.bind(Records.encode(target), at: 2)
            $0.bind(target.position, at: 3)
            $0.bind(target.droppedCount, at: 4)
        }
    }

    func moveTarget(_ name: String, to position: Int64, droppedCount: Int64) throws(SQLiteError) {
        try write("UPDATE targets SET position = ?2, dropped = ?3 WHERE name = ?1") {
            $0.bind(name, at: 1)
            $0.bind(position, at: 2)
            $0.bind(droppedCount, at: 3)
        }
    }
}

extension Records {
    /// What its row keeps in one value: all but `position` and `droppedCount`, which change by themselves.
    static func encode(_ target: StoredTarget) -> [UInt8] {
        var out = RecordWriter()
        out.put(target.name.utf8)
        out.put(target.document)
        out.put(target.sealedSecret)
        out.put(target.created.milliseconds)
        return out.bytes
    }

    static func target(_ record: [UInt8]) throws(MetadataError) -> StoredTarget {
        var reader = RecordReader(record)
        let name = try text(&reader)
        let document = try reader.field()
        let sealedSecret = try reader.field()
        let target = StoredTarget(
            name: name, document: document, sealedSecret: sealedSecret,
            created: Timestamp(milliseconds: try reader.signed()))
        try reader.end()
        return target
    }
}
