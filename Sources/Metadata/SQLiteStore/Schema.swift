import SQLite

/// The tables of `main.db`. Its `user_version` says which of these schemas it has.
enum Schema {
    static let version: Int64 = 1

    /// Makes the tables of a new file, accepts those of a known one, refuses all others.
    static func prepare(_ connection: Connection) throws(MetadataError) {
        do {
            let found = try number("PRAGMA user_version", on: connection)
            if found == version { return }
            guard found == 0 else {
                throw MetadataError.broken(
                    "main.db has schema \(found); this program knows schema \(version). "
                        + "Run the program that wrote it, or a newer one.")
            }
            guard try number("SELECT count(*) FROM sqlite_schema", on: connection) == 0 else {
                throw MetadataError.broken("main.db is a database of another program")
            }
            try connection.begin()
            try connection.run(script: tables + "PRAGMA user_version = \(version);")
            try connection.commit()
        } catch let error as SQLiteError {
            throw MetadataError(error)
        } catch let error as MetadataError {
            throw error
        } catch {
            throw .broken("\(error)")
        }
    }

    private static func number(_ sql: StaticString, on connection: Connection) throws(SQLiteError) -> Int64 {
        try connection.with(sql) { (statement) throws(SQLiteError) in
            try statement.step() ? statement.int64(0) : 0
        }
    }

    /// Rows are read with `SELECT *`: a later schema adds columns at the end of a table only.
    ///
    /// - `versions.version` is empty for the `null` version. The latest version of a key is the one of the highest `seq`,
    ///   and the only one with `latest = 1`.
    /// - `versions_listing` holds what a listing shows, of the keys that a listing shows, so deleted keys and former
    ///   versions cost a listing nothing. `versions_former` finds a named version that is not the latest.
    /// - A multipart version's parts lie apart in `manifests`, so that a row stays short.
    /// - Sizes and blob ids are unsigned 64-bit numbers, kept by their bits.
    private static let tables = """
        CREATE TABLE counters (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO counters VALUES ('sequence', 0);

        CREATE TABLE buckets (
            id INTEGER PRIMARY KEY,
            name BLOB NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            created INTEGER NOT NULL,
            versioning INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE versions (
            bucket INTEGER NOT NULL,
            key BLOB NOT NULL,
            seq INTEGER NOT NULL,
            version BLOB NOT NULL,
            latest INTEGER NOT NULL,
            marker INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            owner TEXT NOT NULL,
            size INTEGER NOT NULL,
            etag BLOB NOT NULL,
            etag_parts INTEGER,
            checksum BLOB,
            storage BLOB,
            blob INTEGER,
            parts INTEGER,
            attributes BLOB,
            tags BLOB,
            PRIMARY KEY (bucket, key, seq DESC)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX versions_listing ON versions (
            bucket, key, version, modified, owner, size, etag, etag_parts, checksum, storage, latest, marker
        ) WHERE latest = 1 AND marker = 0;
        CREATE INDEX versions_former ON versions (bucket, key, version) WHERE latest = 0;

        CREATE TABLE manifests (
            seq INTEGER PRIMARY KEY,
            parts BLOB NOT NULL
        ) STRICT;

        CREATE TABLE uploads (
            id BLOB PRIMARY KEY,
            bucket INTEGER NOT NULL,
            key BLOB NOT NULL,
            initiated INTEGER NOT NULL,
            owner TEXT NOT NULL,
            algorithm INTEGER,
            kind INTEGER,
            attributes BLOB,
            tags BLOB
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX uploads_order ON uploads (bucket, key, initiated, id);

        CREATE TABLE parts (
            upload BLOB NOT NULL,
            number INTEGER NOT NULL,
            size INTEGER NOT NULL,
            md5 BLOB NOT NULL,
            algorithm INTEGER,
            checksum BLOB,
            modified INTEGER NOT NULL,
            blob INTEGER,
            PRIMARY KEY (upload, number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE completed_uploads (
            id BLOB PRIMARY KEY,
            bucket INTEGER NOT NULL,
            completed INTEGER NOT NULL,
            version BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX completed_uploads_age ON completed_uploads (completed);

        CREATE TABLE users (
            name TEXT PRIMARY KEY,
            access_key BLOB NOT NULL UNIQUE,
            sealed_secret BLOB NOT NULL,
            policy TEXT NOT NULL,
            customer TEXT,
            disabled INTEGER NOT NULL,
            created INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE gc_queue (
            position INTEGER PRIMARY KEY,
            blob INTEGER NOT NULL UNIQUE
        ) STRICT;

        """
}
