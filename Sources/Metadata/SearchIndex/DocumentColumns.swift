import Threads

/// What answers are ordered, filtered and divided by, of the newest documents, in memory: a row of `documents` costs 1 to 2 µs, and
/// an answer looks at up to 10,000. About 110 bytes a document.
///
/// Only a copy: what is not here is read from its row. It is never older than what the writer has committed, but may be newer than
/// what a reader's snapshot has.
final class DocumentColumns: Sendable {
    /// Documents of neighbouring numbers; never changed, so readers need no lock.
    final class Chunk: Sendable {
        /// Ascending, at least one.
        let numbers: [Int64]
        /// Where the record of each ends.
        let ends: [Int]
        let bytes: [UInt8]

        init(_ documents: some Collection<(number: Int64, record: ArraySlice<UInt8>)>) {
            var (numbers, ends, bytes): ([Int64], [Int], [UInt8]) = ([], [], [])
            numbers.reserveCapacity(documents.count)
            ends.reserveCapacity(documents.count)
            bytes.reserveCapacity(documents.reduce(0) { $0 + $1.record.count })
            for (number, record) in documents {
                numbers.append(number)
                bytes += record
                ends.append(bytes.count)
            }
            (self.numbers, self.ends, self.bytes) = (numbers, ends, bytes)
        }

        func range(_ place: Int) -> Range<Int> { (place == 0 ? 0 : ends[place - 1])..<ends[place] }

        fileprivate var size: Int { bytes.count + numbers.count * 16 }

        fileprivate var documents: [(number: Int64, record: ArraySlice<UInt8>)] {
            numbers.indices.map { (numbers[$0], bytes[range($0)]) }
        }
    }

    private struct State {
        /// Ascending.
        var chunks: [Chunk] = []
        /// Documents of lower numbers are left out.
        var lowest = Int64.min
        var size = 0
    }

    private let state = Lock(State())
    private let sizeMax: Int
    private static let lengthMax = 2_048

    /// `sizeMax` in bytes; the oldest documents are left out above it.
    init(sizeMax: Int) { self.sizeMax = sizeMax }

    /// Takes in documents of descending numbers, while there is room, in the beginning.
    func load<Failure: Error>(
        _ next: () throws(Failure) -> (number: Int64, record: [UInt8])?
    ) throws(Failure) {
        var state = State()
        var batch: [(number: Int64, record: ArraySlice<UInt8>)] = []
        var descending: [Chunk] = []
        func end() {
            guard !batch.isEmpty else { return }
            let chunk = Chunk(batch.reversed())
            state.size += chunk.size
            descending.append(chunk)
            batch = []
        }
        while let (number, record) = try next() {
            batch.append((number, record[...]))
            guard batch.count == Self.lengthMax else { continue }
            end()
            if state.size >= sizeMax {
                state.lowest = number
                break
            }
        }
        end()
        state.chunks = descending.reversed()
        self.state.withLock { $0 = state }
    }

    /// Takes in what was committed: the record of each document, nil for one that is gone. By one thread at a time.
    func apply(_ changes: [Int64: [UInt8]?]) {
        var state = self.state.withLock { $0 }
        var changes = changes.filter { $0.key >= state.lowest }
        var chunks: [Chunk] = []
        chunks.reserveCapacity(state.chunks.count + 1)
        if !changes.isEmpty {
            let sorted = changes.keys.sorted()
            var next = sorted[...]
            for (place, chunk) in state.chunks.enumerated() {
                // What lies between two chunks goes into the first of them.
                let end = place + 1 < state.chunks.count ? state.chunks[place + 1].numbers[0] : Int64.max
                let mine = next.prefix { $0 < end }
                next = next.dropFirst(mine.count)
                guard !mine.isEmpty else {
                    chunks.append(chunk)
                    continue
                }
                var documents = chunk.documents.filter { changes[$0.number] == nil }
                for number in mine {
                    if case .some(.some(let record)) = changes.removeValue(forKey: number) {
                        documents.append((number, record[...]))
                    }
                }
                chunks += Self.chunks(documents)
            }
            var left: [(number: Int64, record: ArraySlice<UInt8>)] = []
            for number in next {
                if case .some(.some(let record)) = changes[number] { left.append((number, record[...])) }
            }
            chunks += Self.chunks(left)
            state.chunks = chunks
            state.size = chunks.reduce(0) { $0 + $1.size }
        }
        while state.size > sizeMax, state.chunks.count > 1 {
            state.size -= state.chunks.removeFirst().size
            state.lowest = state.chunks[0].numbers[0]
        }
        self.state.withLock { $0 = state }
    }

    private static func chunks(_ documents: [(number: Int64, record: ArraySlice<UInt8>)]) -> [Chunk] {
        let sorted = documents.sorted { $0.number < $1.number }
        guard sorted.count > lengthMax else { return sorted.isEmpty ? [] : [Chunk(sorted)] }
        return stride(from: 0, to: sorted.count, by: lengthMax).map {
            Chunk(sorted[$0..<min($0 + lengthMax, sorted.count)])
        }
    }

    /// Bytes in use.
    var size: Int { state.withLock { $0.size } }

    func cursor() -> Cursor { Cursor(chunks: state.withLock { $0.chunks }) }

    /// Finds documents of one state of the columns; cheapest where each lies near the one before.
    struct Cursor {
        private let chunks: [Chunk]
        private var chunk = -1
        private var place = 0

        fileprivate init(chunks: [Chunk]) { self.chunks = chunks }

        /// Nil for one that is not here.
        mutating func find(_ number: Int64) -> (chunk: Chunk, range: Range<Int>)? {
            if chunk < 0 || !isInChunk(number) {
                guard let found = lastChunk(notAfter: number) else { return nil }
                (chunk, place) = (found, chunks[found].numbers.count)
            }
            let numbers = chunks[chunk].numbers
            // Descending, the next match is seldom far below.
            var (lower, upper) = (0, numbers.count)
            if place < upper, number < numbers[place] {
                var step = 1
                upper = place
                while upper - step > 0, numbers[upper - step] > number {
                    upper -= step
                    step *= 2
                }
                lower = max(0, upper - step)
            }
            while lower < upper {
                let middle = (lower + upper) / 2
                if numbers[middle] < number { lower = middle + 1 } else { upper = middle }
            }
            guard lower < numbers.count, numbers[lower] == number else { return nil }
            place = lower
            return (chunks[chunk], chunks[chunk].range(lower))
        }

        private func isInChunk(_ number: Int64) -> Bool {
            number >= chunks[chunk].numbers[0]
                && (chunk + 1 == chunks.count || number < chunks[chunk + 1].numbers[0])
        }

        private func lastChunk(notAfter number: Int64) -> Int? {
            var (lower, upper) = (0, chunks.count)
            while lower < upper {
                let middle = (lower + upper) / 2
                if chunks[middle].numbers[0] <= number { lower = middle + 1 } else { upper = middle }
            }
            return lower > 0 ? lower - 1 : nil
        }
    }
}
