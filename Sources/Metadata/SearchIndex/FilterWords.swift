import SQLite
import Search

/// The terms of filters, and the words that stand for them in `words`.
struct FilterWords {
    private static let base: Int64 = 6_000
    private static let first: UInt32 = 0xE100
    private let connection: Connection
    /// Those met lately.
    private var known: [[UInt8]: Int64] = [:]
    private static let knownMax = 100_000

    init(_ connection: Connection) { self.connection = connection }

    /// Nil for a term that no document has.
    mutating func number(of term: FilterTerm) throws(SQLiteError) -> Int64? {
        let text = term.text
        if let number = known[text] { return number }
        let found = try connection.with("SELECT id FROM terms WHERE text = ?1") { (row) throws(SQLiteError) in
            row.bind(text, at: 1)
            return try row.step() ? row.int64(0) : nil
        }
        if let found { remember(text, found) }
        return found
    }

    /// Gives the term a number where it has none. `label` is how it is shown.
    mutating func numberMaking(_ term: FilterTerm, label: [UInt8]) throws(SQLiteError) -> Int64 {
        if let number = try number(of: term) { return number }
        let text = term.text
        let number = try connection.with(
            "INSERT INTO terms (text, label) VALUES (?1, ?2) RETURNING id"
        ) { (row) throws(SQLiteError) in
            row.bind(text, at: 1)
            row.bind(label, at: 2)
            return try row.step() ? row.int64(0) : 0
        }
        remember(text, number)
        return number
    }

    private mutating func remember(_ text: [UInt8], _ number: Int64) {
        if known.count >= Self.knownMax { known = [:] }
        known[text] = number
    }

    /// After a rollback the numbers may be others'.
    mutating func forget() { known = [:] }

    /// The two characters of a number; nil above 36 millions, where no words are left.
    static func word(of number: Int64) -> [UInt8]? {
        guard number > 0, number < base * base else { return nil }
        var out: [UInt8] = []
        for value in [number / base, number % base] {
            let scalar = first + UInt32(value)
            out.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            out.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6) & 0x3F)
            out.append(0x80 | UInt8(truncatingIfNeeded: scalar) & 0x3F)
        }
        return out
    }
}
