import Bytes
import SQLite
import Search

/// The one connection that writes `search.db`.
struct SearchWriter {
    let connection: Connection
    private var terms: FilterWords
    /// Words of the vocabulary that were met lately.
    private var knownWords = Set<[UInt8]>()
    /// What the present transaction makes of documents.
    private var records: Written = [:]
    private static let knownWordsMax = 200_000

    init(_ connection: Connection) {
        self.connection = connection
        terms = FilterWords(connection)
    }

    /// An asset as it is now; nil where it is not there any more.
    typealias Change = (id: AssetID, document: SearchDocument?)

    /// The record of each document that was written; nil for one that is gone.
    typealias Written = [Int64: [UInt8]?]

    /// How far assets were taken in.
    struct Progress: Equatable {
        /// The number of the last change; nil until all assets were taken in.
        var position: Int64?
        /// While they are: the last of them so far, and what `position` will be.
        var built: AssetID?
        var buildPosition: Int64?
    }

    func progress() throws(SQLiteError) -> Progress {
        try connection.with("SELECT position, built, build_position FROM state") { (row) throws(SQLiteError) in
            guard try row.step() else { return Progress() }
            return Progress(
                position: row.optionalInt64(0), built: row.optionalBytes(1).flatMap { AssetID(bytes: $0) },
                buildPosition: row.optionalInt64(2))
        }
    }

    /// Takes the changes in, each asset at most once, and notes the progress, in one transaction.
    @discardableResult
    mutating func apply(_ changes: [Change], _ progress: Progress) throws(SQLiteError) -> Written {
        records = [:]
        do throws(SQLiteError) {
            try connection.begin()
            // FTS5 writes what comes in ascending order in one go.
            for placed in try place(changes).sorted(by: { $0.number < $1.number }) { try apply(placed) }
            try note(progress)
            try connection.commit()
            return records
        } catch {
            terms.forget()
            knownWords = []
            try? connection.rollback()
            throw error
        }
    }

    private func note(_ progress: Progress) throws(SQLiteError) {
        try run("UPDATE state SET position = ?1, built = ?2, build_position = ?3") {
            $0.bind(progress.position, at: 1)
            $0.bind(progress.built?.bytes, at: 2)
            $0.bind(progress.buildPosition, at: 3)
        }
    }

    // MARK: Numbers

    private struct Placed {
        var number: Int64
        var id: AssetID
        var isThere: Bool
        var document: SearchDocument?
    }

    private func place(_ changes: [Change]) throws(SQLiteError) -> [Placed] {
        var placed: [Placed] = []
        var taken = Set<Int64>()
        for (id, document) in changes {
            let former = try connection.with("SELECT id FROM documents WHERE asset = ?1") { (row) throws(SQLiteError) in
                row.bind(id.bytes, at: 1)
                return try row.step() ? row.int64(0) : nil
            }
            if let former {
                let stays = document.map { DocumentNumber.isOfSecond(former, of: $0.created) } ?? true
                placed.append(Placed(number: former, id: id, isThere: true, document: stays ? document : nil))
                if stays { continue }
            }
            guard let document else { continue }
            var number = DocumentNumber.proposed(for: id.bytes, madeAt: document.created)
            while true {
                if taken.insert(number).inserted, try !isTaken(number) { break }
                number += 1
            }
            placed.append(Placed(number: number, id: id, isThere: false, document: document))
        }
        return placed
    }

    private func isTaken(_ number: Int64) throws(SQLiteError) -> Bool {
        try connection.with("SELECT 1 FROM documents WHERE id = ?1") { (row) throws(SQLiteError) in
            row.bind(number, at: 1)
            return try row.step()
        }
    }

    // MARK: Rows

    /// A document as `words` has it.
    private struct Entry: Equatable {
        var name: String
        var tags: String
        var text: String
        var filters: String
    }

    private mutating func apply(_ placed: Placed) throws(SQLiteError) {
        let former = placed.isThere ? try entry(placed.number) : nil
        guard let document = placed.document else {
            if let former { try removeWords(placed.number, former) }
            try run("DELETE FROM documents WHERE id = ?1") { $0.bind(placed.number, at: 1) }
            try run("DELETE FROM texts WHERE id = ?1") { $0.bind(placed.number, at: 1) }
            records.updateValue(nil, forKey: placed.number)
            return
        }
        let entry = try entry(of: document)
        if entry != former {
            if let former { try removeWords(placed.number, former) }
            try run("INSERT INTO words (rowid, name, tags, text, filters) VALUES (?1, ?2, ?3, ?4, ?5)") {
                bind(entry, of: placed.number, $0)
            }
            try run("INSERT OR REPLACE INTO texts VALUES (?1, ?2, ?3)") {
                $0.bind(placed.number, at: 1)
                $0.bind(entry.text, at: 2)
                $0.bind(entry.filters, at: 3)
            }
        }
        let facets = try facets(of: document)
        try run("INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") {
            $0.bind(placed.number, at: 1)
            $0.bind(document.id, at: 2)
            $0.bind(document.size, at: 3)
            $0.bind(document.updated, at: 4)
            $0.bind(document.duration, at: 5)
            $0.bind(document.width, at: 6)
            $0.bind(document.height, at: 7)
            $0.bind(facets, at: 8)
            $0.bind(entry.name, at: 9)
            $0.bind(entry.tags, at: 10)
        }
        let record = DocumentRecord.make(
            asset: document.id, size: document.size, updated: document.updated, duration: document.duration,
            width: document.width, height: document.height, facets: facets, name: entry.name.utf8,
            tags: entry.tags.utf8)
        records.updateValue(record, forKey: placed.number)
    }

    private func removeWords(_ number: Int64, _ entry: Entry) throws(SQLiteError) {
        try run("INSERT INTO words (words, rowid, name, tags, text, filters) VALUES ('delete', ?1, ?2, ?3, ?4, ?5)") {
            bind(entry, of: number, $0)
        }
    }

    private func bind(_ entry: Entry, of number: Int64, _ statement: Statement) {
        statement.bind(number, at: 1)
        statement.bind(entry.name, at: 2)
        statement.bind(entry.tags, at: 3)
        statement.bind(entry.text, at: 4)
        statement.bind(entry.filters, at: 5)
    }

    private func entry(_ number: Int64) throws(SQLiteError) -> Entry? {
        try connection.with(
            "SELECT d.name, d.tags, t.text, t.filters FROM documents d JOIN texts t USING (id) WHERE d.id = ?1"
        ) { (row) throws(SQLiteError) in
            row.bind(number, at: 1)
            guard try row.step() else { return nil }
            return Entry(name: row.text(0), tags: row.text(1), text: row.text(2), filters: row.text(3))
        }
    }

    private mutating func entry(of document: SearchDocument) throws(SQLiteError) -> Entry {
        let found = SearchTerms(of: document)
        var filters: [UInt8] = []
        for term in found.filters {
            let number = try terms.numberMaking(term, label: label(of: term, in: document))
            guard let word = FilterWords.word(of: number) else { continue }
            filters += word
            filters.append(Ascii.space)
        }
        for field in [found.name, found.tags] + found.texts {
            for word in field.parts + field.wholes { try learn(word) }
        }
        return Entry(
            name: Self.text(of: [found.name]), tags: Self.text(of: [found.tags]), text: Self.text(of: found.texts),
            filters: String(decoding: filters, as: UTF8.self))
    }

    private mutating func learn(_ word: [UInt8]) throws(SQLiteError) {
        if knownWords.count >= Self.knownWordsMax { knownWords = [] }
        guard knownWords.insert(word).inserted else { return }
        try run("INSERT OR IGNORE INTO vocabulary VALUES (?1)") { $0.bind(word, at: 1) }
    }

    /// Tags and folders are shown as they were written first.
    private func label(of term: FilterTerm, in document: SearchDocument) -> [UInt8] {
        switch term.kind {
        case .tag: document.tags.first { FilterTerm.tag($0) == term.value } ?? term.value
        case .folder: FilterTerm.folder(document.folder) == term.value ? document.folder : term.value
        default: term.value
        }
    }

    private static func text(of fields: [FieldWords]) -> String {
        String(decoding: Relevance.text(of: fields), as: UTF8.self)
    }

    /// The numbers of the terms that the document counts under: its type, its folder or 0, its tags.
    private mutating func facets(of document: SearchDocument) throws(SQLiteError) -> [UInt8] {
        var out = RecordWriter()
        let type = try terms.numberMaking(FilterTerm(.type, document.type), label: document.type)
        out.put(UInt64(clamping: type))
        let folder = FilterTerm.folder(document.folder)
        let number = folder.isEmpty ? 0 : try terms.numberMaking(FilterTerm(.folder, folder), label: document.folder)
        out.put(UInt64(clamping: number))
        for tag in document.tags {
            out.put(UInt64(clamping: try terms.numberMaking(FilterTerm(.tag, FilterTerm.tag(tag)), label: tag)))
        }
        return out.bytes
    }

    private func run(_ sql: StaticString, _ bind: (Statement) -> Void) throws(SQLiteError) {
        try connection.with(sql) { (statement) throws(SQLiteError) in
            bind(statement)
            while try statement.step() {}
        }
    }
}
