/// Makes ranges of numbers findable by terms: each number lies in a bucket, and the buckets in larger ones, level by level. A
/// range is covered by a few buckets of all levels. The outermost reach a little over its ends, so what is found is compared
/// with the range itself afterwards.
public enum NumericBuckets {
    /// Milliseconds of a day.
    private static let day: Int64 = 86_400_000

    /// How far numbers are shifted from level to level, and the highest bucket of the finest.
    private static func levels(of field: NumericField) -> (shifts: [Int64], highest: Int64) {
        switch field {
        // Four buckets for each power of two.
        case .size, .duration, .width, .height: ([0, 2, 4, 6], 255)
        // Days, 8, 64, 512 and 4,096 of them.
        case .created, .updated: ([0, 3, 6, 9, 12], 65_535)
        }
    }

    /// The finest bucket of a number. Negative ones lie in the first.
    static func bucket(of value: Int64, _ field: NumericField) -> Int64 {
        switch field {
        case .created, .updated: return min(65_535, max(0, value) / day)
        case .size, .duration, .width, .height:
            if value < 8 { return max(0, value) }
            let length = Int64(64 - value.leadingZeroBitCount)
            return 8 + (length - 4) * 4 + ((value >> (length - 3)) & 3)
        }
    }

    /// The terms of a stored number, one for each level; nil is a term too.
    public static func terms(of value: Int64?, _ field: NumericField) -> [FilterTerm] {
        guard let value else { return [missing(field)] }
        let bucket = bucket(of: value, field)
        return levels(of: field).shifts.enumerated().map { term(field, level: $0.offset, bucket >> $0.element) }
    }

    /// Terms of which everything in the range has at least one.
    public static func cover(_ range: NumericRange, _ field: NumericField) -> [FilterTerm] {
        guard range.lower <= range.upper else { return [] }
        let (shifts, highest) = levels(of: field)
        var low = bucket(of: range.lower, field)
        // What has no end needs no fine buckets there.
        var high = min(highest, bucket(of: range.upper, field))
        if range.upper == .max { high = highest }
        var terms: [FilterTerm] = []
        for level in shifts.indices {
            guard level + 1 < shifts.count else {
                if low <= high { terms += (low...high).map { term(field, level: level, $0) } }
                break
            }
            let width: Int64 = 1 << (shifts[level + 1] - shifts[level])
            while low <= high, !low.isMultiple(of: width) {
                terms.append(term(field, level: level, low))
                low += 1
            }
            while low <= high, !(high + 1).isMultiple(of: width) {
                terms.append(term(field, level: level, high))
                high -= 1
            }
            if low > high { break }
            low /= width
            high = (high + 1) / width - 1
        }
        return terms
    }

    /// Terms of which everything that holds for the clause has at least one.
    public static func cover(_ clause: RangeClause) -> [FilterTerm] {
        guard clause.isNegated else { return cover(clause.range, clause.field) }
        var terms = [missing(clause.field)]
        let range = clause.range
        guard range.lower <= range.upper else { return terms + cover(NumericRange(.min, .max), clause.field) }
        if range.lower > .min { terms += cover(NumericRange(.min, range.lower - 1), clause.field) }
        if range.upper < .max { terms += cover(NumericRange(range.upper + 1, .max), clause.field) }
        return terms
    }

    private static func missing(_ field: NumericField) -> FilterTerm { FilterTerm(.bucket, [field.rawValue + 0x30]) }

    private static func term(_ field: NumericField, level: Int, _ bucket: Int64) -> FilterTerm {
        FilterTerm(.bucket, [field.rawValue + 0x30] + "/\(level)/\(bucket)".utf8)
    }
}
