import SQLite

/// The tables of `main.db`. Its `user_version` says which of these schemas it has.
enum Schema {
    static let version: Int64 = 9
    /// The one before `versionWithPageChecks` has the same tables, in pages without check values (`PageUpgrade`).
    static let versionWithoutPageChecks: Int64 = 4
    static let versionWithPageChecks: Int64 = 5

    static func found(in connection: Connection) throws(SQLiteError) -> Int64 {
        try number("PRAGMA user_version", on: connection)
    }

    /// Makes the tables of a new file, accepts those of a known one, refuses all others.
    static func prepare(_ connection: Connection) throws(MetadataError) {
        do {
            let found = try found(in: connection)
            if found == version || found == versionWithoutPageChecks { return }
            if found == 1 { try migrateFromFirst(connection) }
            if found == 1 || found == 2 { try migrateFromSecond(connection) }
            if (1...3).contains(found) { return try migrateFromThird(connection) }
            if found == versionWithPageChecks { try migrateFromFifth(connection) }
            if found == versionWithPageChecks || found == 6 { try migrateFromSixth(connection) }
            if (versionWithPageChecks...7).contains(found) { try migrateFromSeventh(connection) }
            if (versionWithPageChecks...8).contains(found) { return try migrateFromEighth(connection) }
            guard found == 0 else {
                throw MetadataError.broken(
                    "main.db has schema \(found); this program knows schema \(version). "
                        + "Run the program that wrote it, or a newer one.")
            }
            guard try number("SELECT count(*) FROM sqlite_schema", on: connection) == 0 else {
                throw MetadataError.broken("main.db is a database of another program")
            }
            try connection.begin()
            try connection.run(
                script: tables + logTables + uncountedColumns + assetTables + jobTables + targetTable
                    + uniqueColumn + configurationColumn + "PRAGMA user_version = \(version);")
            try connection.commit()
        } catch let error as SQLiteError {
            throw MetadataError(error)
        } catch let error as MetadataError {
            throw error
        } catch {
            throw .broken("\(error)")
        }
    }

    /// The first schema was no view of a log, and every blob had a file without a trailer. Its changes count as one, the first
    /// of all, which the log does not hold: only a base gives them back.
    private static func migrateFromFirst(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(
            script: logTables + """
                UPDATE view_state SET lsn = 1, sequence = (SELECT value FROM counters WHERE name = 'sequence');
                DROP TABLE counters;
                INSERT OR IGNORE INTO blobs
                SELECT blob, size, NULL, NULL, NULL FROM versions WHERE blob IS NOT NULL;
                INSERT OR IGNORE INTO blobs SELECT blob, size, NULL, NULL, NULL FROM parts WHERE blob IS NOT NULL;

                """)
        // The blobs of completed uploads are named within manifests.
        try connection.with("SELECT parts FROM manifests") { (row) throws(SQLiteError) in
            while try row.step() {
                let parts: [StoredPart]
                do { parts = try Records.parts(row.bytes(0)) } catch {
                    throw SQLiteError(code: 1, message: "a manifest cannot be read: \(error)")
                }
                for part in parts {
                    guard let blob = part.blob else { continue }
                    try connection.addMigrated(blob, size: part.size)
                }
            }
        }
        try connection.run(
            script:
                "UPDATE view_state SET last_blob = coalesce((SELECT max(id) FROM blobs), 0); PRAGMA user_version = 2;")
        try connection.commit()
    }

    /// Every commit wrote a page of `segments`; the changes of the segment being written moved to `view_state`.
    private static func migrateFromSecond(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: uncountedColumns + "PRAGMA user_version = 3;")
        try connection.commit()
    }

    /// The third schema had no assets.
    private static func migrateFromThird(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: assetTables + "PRAGMA user_version = 4;")
        try connection.commit()
    }

    /// The fifth schema had no hooks.
    private static func migrateFromFifth(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: jobTables + "PRAGMA user_version = 6;")
        try connection.commit()
    }

    /// The sixth schema had no targets.
    private static func migrateFromSixth(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: targetTable + "PRAGMA user_version = 7;")
        try connection.commit()
    }

    /// The seventh schema did not know which runs are unique.
    private static func migrateFromSeventh(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: uniqueColumn + "PRAGMA user_version = 8;")
        try connection.commit()
    }

    /// The eighth schema had no configurations of buckets.
    private static func migrateFromEighth(_ connection: Connection) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: configurationColumn + "PRAGMA user_version = 9;")
        try connection.commit()
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

    /// What makes the database a view of the log. `view_state` says up to where the log is applied, and the highest numbers given
    /// so far. A blob without `segment` has a file of its own.
    private static let logTables = """
        CREATE TABLE view_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            lsn INTEGER NOT NULL,
            segment INTEGER NOT NULL,
            "offset" INTEGER NOT NULL,
            chain INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            last_blob INTEGER NOT NULL
        ) STRICT;
        INSERT INTO view_state VALUES (1, 0, 0, 0, 0, 0, 0);

        CREATE TABLE blobs (
            id INTEGER PRIMARY KEY,
            size INTEGER NOT NULL,
            crc INTEGER,
            segment INTEGER,
            "offset" INTEGER
        ) STRICT;

        CREATE TABLE segments (
            number INTEGER PRIMARY KEY,
            live INTEGER NOT NULL
        ) STRICT;

        """

    /// As the second schema got them.
    private static let uncountedColumns = """
        ALTER TABLE view_state ADD COLUMN uncounted_segment INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE view_state ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;

        """

    /// The assets that objects are, as the third schema got them. `asset_changes` says which of them changed, in the order of
    /// the commits, until all who follow have it. `buckets.assets` is null where nothing was said of the bucket.
    private static let assetTables = """
        ALTER TABLE buckets ADD COLUMN assets INTEGER;

        CREATE TABLE assets (
            bucket INTEGER NOT NULL,
            key BLOB NOT NULL,
            id BLOB NOT NULL,
            customer TEXT,
            user TEXT NOT NULL,
            type INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            deleted INTEGER,
            details BLOB,
            PRIMARY KEY (bucket, key)
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX assets_id ON assets (id);

        CREATE TABLE asset_changes (
            change INTEGER PRIMARY KEY,
            id BLOB NOT NULL,
            moment INTEGER NOT NULL
        ) STRICT;

        """

    /// Hooks, events and jobs, as the fifth schema got them. Of `hooks` the highest revision counts; former ones serve runs that
    /// began with them. `jobs_ready` gives the next job of a lane by one seek. `job_state.planned` says up to which event jobs were made.
    private static let jobTables = """
        CREATE TABLE hooks (
            bucket INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            document BLOB NOT NULL,
            created INTEGER NOT NULL,
            PRIMARY KEY (bucket, revision)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE events (
            position INTEGER PRIMARY KEY,
            moment INTEGER NOT NULL,
            record BLOB NOT NULL
        ) STRICT;

        CREATE TABLE job_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            planned INTEGER NOT NULL
        ) STRICT;
        INSERT INTO job_state VALUES (1, 0);

        CREATE TABLE job_groups (
            id BLOB PRIMARY KEY,
            bucket INTEGER NOT NULL,
            key BLOB NOT NULL,
            ended INTEGER,
            record BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX job_groups_key ON job_groups (bucket, key, id);
        CREATE INDEX job_groups_ended ON job_groups (ended) WHERE ended IS NOT NULL;

        CREATE TABLE jobs (
            id BLOB PRIMARY KEY,
            job_group BLOB NOT NULL,
            state INTEGER NOT NULL,
            queue TEXT NOT NULL,
            lane BLOB NOT NULL,
            rank INTEGER NOT NULL,
            due INTEGER,
            record BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX jobs_group ON jobs (job_group);
        CREATE INDEX jobs_ready ON jobs (queue, lane, rank, id) WHERE state = 0;
        CREATE INDEX jobs_due ON jobs (due) WHERE state = 2;
        CREATE INDEX jobs_held ON jobs (state, id) WHERE state IN (1, 4);

        """

    /// Receivers of events, as the sixth schema got them, with the last event that each needs no more.
    private static let targetTable = """
        CREATE TABLE targets (
            name TEXT PRIMARY KEY,
            record BLOB NOT NULL,
            position INTEGER NOT NULL,
            dropped INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        """

    /// As the seventh schema got it: what `JobGroup.uniqueness` says, of runs that have not ended.
    private static let uniqueColumn = """
        ALTER TABLE job_groups ADD COLUMN uniqueness BLOB;
        CREATE INDEX job_groups_unique ON job_groups (uniqueness, id) WHERE uniqueness IS NOT NULL;

        """

    /// As the eighth schema got it; null where a bucket has no configuration.
    private static let configurationColumn = """
        ALTER TABLE buckets ADD COLUMN configuration BLOB;

        """
}

extension Connection {
    fileprivate func addMigrated(_ blob: BlobID, size: UInt64) throws(SQLiteError) {
        try with("INSERT OR IGNORE INTO blobs VALUES (?1, ?2, NULL, NULL, NULL)") { (row) throws(SQLiteError) in
            row.bind(Int64(bitPattern: blob.value), at: 1)
            row.bind(Int64(bitPattern: size), at: 2)
            while try row.step() {}
        }
    }
}
