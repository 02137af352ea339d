import SQLite

/// A document as `DocumentColumns` holds it: 16 bytes of the asset's id, then numbers and fields in the form of `Records`.
struct DocumentRecord {
    let size: Int64
    let updated: Int64
    let duration: Int64?
    let width: Int64?
    let height: Int64?
    /// Places within the record.
    let facets: Range<Int>
    let name: Range<Int>
    let tags: Range<Int>

    private static let idLength = 16

    /// Of a row with the columns of `documents`, in their order.
    static func make(of row: Statement) -> [UInt8] {
        make(
            asset: row.bytes(1), size: row.int64(2), updated: row.int64(3), duration: row.optionalInt64(4),
            width: row.optionalInt64(5), height: row.optionalInt64(6), facets: row.bytes(7), name: row.bytes(8),
            tags: row.bytes(9))
    }

    static func make(
        asset: [UInt8], size: Int64, updated: Int64, duration: Int64?, width: Int64?, height: Int64?,
        facets: [UInt8], name: some Collection<UInt8>, tags: some Collection<UInt8>
    ) -> [UInt8] {
        var out = RecordWriter()
        for place in 0..<idLength { out.put(place < asset.count ? asset[place] : 0) }
        out.put(size)
        out.put(updated)
        for number in [duration, width, height] { out.put(number) { $0.put($1) } }
        out.put(facets)
        out.put(name)
        out.put(tags)
        return out.bytes
    }

    /// `record` was made by `make`.
    init(_ record: Span<UInt8>) {
        var place = Self.idLength
        func next() -> UInt64 { Self.number(record, &place) }
        func optional() -> Int64? { next() == 0 ? nil : Int64(bitPattern: next()) }
        func field() -> Range<Int> {
            let length = Int(clamping: next())
            let start = min(place, record.count)
            place = min(record.count, start &+ max(0, min(length, record.count)))
            return start..<place
        }
        size = Int64(bitPattern: next())
        updated = Int64(bitPattern: next())
        duration = optional()
        width = optional()
        height = optional()
        facets = field()
        name = field()
        tags = field()
    }

    /// The number at `place`, which goes on behind it; 0 at the end.
    static func number(_ record: Span<UInt8>, _ place: inout Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while place < record.count, shift < 64 {
            let byte = record[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return value
    }

    static func firstNumber(_ record: Span<UInt8>) -> UInt64 {
        var place = 0
        return number(record, &place)
    }

    static func id(_ record: Span<UInt8>) -> [UInt8] { (0..<min(idLength, record.count)).map { record[$0] } }
}
