import SQLite

/// The tables of `search.db`, which hold nothing that cannot be made again from `main.db`.
///
/// A document's number is the second in which its asset was made, times 65,536, plus a few bits that tell it from others: so
/// numbers descend from the newest to the oldest, and a range of dates is one of numbers.
///
/// - `words` (FTS5, without the text itself) has for each document its words by field, and in `filters` a word for each term
///   that it is filtered by: two characters from Unicode's private area, which no text has.
///   What one transaction brings is written at once, up to 16 MiB: fewer and larger pieces are merged less often.
/// - `vocabulary` has every word that a document ever had. A prefix of five letters or more is asked for by the words that begin
///   so: FTS5 would read all documents of all of them before the first is found.
/// - `documents` has what answers are ordered, filtered and divided by; `texts` what else it takes to remove a document from
///   `words`; `terms` the terms of filters by number.
enum SearchSchema {
    static let version: Int64 = 2

    /// Whether the file is whole as far as that is known at once, of this version, and that of this store.
    static func fits(_ connection: Connection, store: [UInt8]) throws(SQLiteError) -> Bool {
        let found = try connection.with("PRAGMA user_version") { (row) throws(SQLiteError) in
            try row.step() ? row.int64(0) : 0
        }
        guard found == version else { return false }
        return try connection.with("SELECT store FROM state") { (row) throws(SQLiteError) in
            try row.step() && row.bytes(0) == store
        }
    }

    static func make(_ connection: Connection, store: [UInt8]) throws(SQLiteError) {
        try connection.begin()
        try connection.run(script: tables)
        try connection.with("INSERT INTO state (id, store) VALUES (1, ?1)") { (row) throws(SQLiteError) in
            row.bind(store, at: 1)
            while try row.step() {}
        }
        try connection.run(script: "PRAGMA user_version = \(version)")
        try connection.commit()
    }

    /// `state.position` is the number of the last change that was taken in; null until all assets were, `built` being the last
    /// of them so far and `build_position` what `position` will be then.
    private static let tables = """
        CREATE VIRTUAL TABLE words USING fts5(
            filters, name, tags, text, content='', columnsize=0, tokenize='ascii', prefix='2 3 4'
        );

        INSERT INTO words (words, rank) VALUES ('hashsize', 16777216);

        CREATE TABLE vocabulary (
            word BLOB PRIMARY KEY
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE documents (
            id INTEGER PRIMARY KEY,
            asset BLOB NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            duration INTEGER,
            width INTEGER,
            height INTEGER,
            facets BLOB NOT NULL,
            name TEXT NOT NULL,
            tags TEXT NOT NULL
        ) STRICT;

        CREATE TABLE texts (
            id INTEGER PRIMARY KEY,
            text TEXT NOT NULL,
            filters TEXT NOT NULL
        ) STRICT;

        CREATE TABLE terms (
            id INTEGER PRIMARY KEY,
            text BLOB NOT NULL UNIQUE,
            label BLOB NOT NULL
        ) STRICT;

        CREATE TABLE state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            store BLOB NOT NULL,
            position INTEGER,
            built BLOB,
            build_position INTEGER
        ) STRICT;

        """
}

/// How a document is numbered.
enum DocumentNumber {
    private static let bits: Int64 = 16
    /// Beyond it lies the year 6,400,000.
    private static let secondsMax: Int64 = 1 << 46

    /// The first number of a second; seconds before 1970 count as the first after.
    static func first(ofMilliseconds moment: Int64) -> Int64 { min(secondsMax, max(0, moment) / 1_000) << bits }

    /// The last number of a second.
    static func last(ofMilliseconds moment: Int64) -> Int64 {
        moment < 0 ? -1 : first(ofMilliseconds: moment) | ((1 << bits) - 1)
    }

    /// The number that an asset has unless another has it already.
    static func proposed(for id: [UInt8], madeAt moment: Int64) -> Int64 {
        let low = id.suffix(2).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return first(ofMilliseconds: moment) | low
    }

    static func isOfSecond(_ number: Int64, of moment: Int64) -> Bool {
        number >> bits == first(ofMilliseconds: moment) >> bits
    }
}
