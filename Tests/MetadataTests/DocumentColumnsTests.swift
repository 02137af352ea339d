import Testing

@testable import Metadata

@Suite struct DocumentColumnsTests {
    private func record(_ number: Int64, _ state: Int) -> [UInt8] {
        DocumentRecord.make(
            asset: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 16), size: Int64(state),
            updated: -number,
            duration: state % 2 == 0 ? nil : 7, width: nil, height: 1 << 40, facets: [1, 2], name: " a b ".utf8,
            tags: [])
    }

    private func find(_ number: Int64, _ cursor: inout DocumentColumns.Cursor) -> [UInt8]? {
        cursor.find(number).map { [UInt8]($0.chunk.bytes[$0.range]) }
    }

    @Test func `a record reads back`() {
        let bytes = record(3, 5)
        let read = DocumentRecord(bytes.span)
        #expect(read.size == 5 && read.updated == -3 && read.duration == 7 && read.width == nil)
        #expect(read.height == 1 << 40 && Array(bytes[read.facets]) == [1, 2])
        #expect(Array(bytes[read.name]) == Array(" a b ".utf8) && read.tags.isEmpty)
        #expect(DocumentRecord.id(bytes.span) == [UInt8](repeating: 3, count: 16))
    }

    @Test func `whatever is taken in is found, in any order of asking`() {
        var random = SystemRandomNumberGenerator()
        let seed = random.next()
        var state = seed
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let columns = DocumentColumns(sizeMax: 1 << 30)
        var model: [Int64: [UInt8]] = [:]
        for step in 0..<60 {
            var changes: SearchWriter.Written = [:]
            for _ in 0..<next(400) {
                let number = Int64(next(20_000))
                let made: [UInt8]? = next(4) == 0 ? nil : record(number, step)
                changes.updateValue(made, forKey: number)
                model[number] = made
            }
            columns.apply(changes)
        }
        var cursor = columns.cursor()
        for number in (0..<20_000).reversed() as [Int64] {
            #expect(find(number, &cursor) == model[number], "seed \(seed), \(number)")
        }
        for _ in 0..<5_000 {
            let number = Int64(next(20_000))
            #expect(find(number, &cursor) == model[number], "seed \(seed), \(number)")
        }
        #expect(!model.isEmpty)
    }

    @Test func `above its size it lets go of the oldest, and does not take them in again`() {
        let columns = DocumentColumns(sizeMax: 400_000)
        for first in stride(from: Int64(0), to: 20_000, by: 500) {
            columns.apply(
                Dictionary(uniqueKeysWithValues: (first..<first + 500).map { ($0, .some(record($0, 1))) }))
        }
        #expect(columns.size <= 400_000)
        columns.apply([0: record(0, 1)])
        var cursor = columns.cursor()
        #expect(find(19_999, &cursor) == record(19_999, 1))
        #expect(find(0, &cursor) == nil)
        var loaded = (0..<20_000 as Range<Int64>).reversed()[...]
        let again = DocumentColumns(sizeMax: 400_000)
        again.load { loaded.popFirst().map { ($0, record($0, 1)) } }
        cursor = again.cursor()
        #expect(find(19_999, &cursor) == record(19_999, 1) && find(0, &cursor) == nil)
    }
}
