/// Splits text into the words that are searched for: the same for what is stored and what is asked, in every store.
///
/// A run of letters and digits is a word. Where it is made of several (camel case, letters beside digits), its parts are
/// the words, and the whole is kept beside them: `MyPhoto12` is found by `my`, `photo`, `12` and `myphoto12`. A letter of a
/// script that is written without spaces is a word of its own. Everything else separates: `IMG_2041.jpg` is three words.
public enum Tokenizer {
    /// Bytes of a word; what is longer is cut.
    public static let wordLengthMax = 64
    /// Scalars of a run that are looked at; the rest of it is passed over.
    private static let runLengthMax = 256

    /// Letters and digits that stand together.
    public struct Run: Sendable, Equatable {
        /// At least one, folded.
        public var parts: [[UInt8]]
        /// Nil where there is one part.
        public var whole: [UInt8]?
    }

    /// The runs of `text`, at most `countMax` parts in all.
    public static func runs(of text: some Collection<UInt8>, countMax: Int) -> [Run] {
        var runs: [Run] = []
        var builder = RunBuilder()
        var count = 0
        func end() {
            guard let run = builder.take() else { return }
            count += run.parts.count
            runs.append(run)
        }
        for scalar in Composition.scalars(of: text) {
            if count >= countMax { break }
            let kind = Folding.kind(of: scalar)
            switch kind {
            case .separator: end()
            case .single:
                end()
                builder.add(scalar, .lower)
                end()
            case .dropped: break
            case .lower, .upper, .digit: builder.add(scalar, kind)
            }
        }
        if count < countMax { end() }
        return runs
    }

    private struct RunBuilder {
        private var scalars: [(scalar: Unicode.Scalar, kind: Folding.Kind)] = []

        mutating func add(_ scalar: Unicode.Scalar, _ kind: Folding.Kind) {
            if scalars.count < runLengthMax { scalars.append((scalar, kind)) }
        }

        mutating func take() -> Run? {
            if scalars.isEmpty { return nil }
            defer { scalars.removeAll(keepingCapacity: true) }
            var parts: [[UInt8]] = []
            var whole: [UInt8] = []
            var part: [UInt8] = []
            for (place, entry) in scalars.enumerated() {
                if place > 0, isBoundary(before: place), !part.isEmpty {
                    parts.append(part)
                    part = []
                }
                Folding.append(entry.scalar, to: &part)
                if whole.count < wordLengthMax { Folding.append(entry.scalar, to: &whole) }
            }
            if !part.isEmpty { parts.append(part) }
            parts = parts.map(Tokenizer.cut)
            if parts.isEmpty { return nil }
            return Run(parts: parts, whole: parts.count > 1 ? Tokenizer.cut(whole) : nil)
        }

        /// `photoAlbum`, `HTTPServer` and `2nd` have one each.
        private func isBoundary(before place: Int) -> Bool {
            let (last, this) = (scalars[place - 1].kind, scalars[place].kind)
            if (last == .digit) != (this == .digit) { return true }
            if last == .lower, this == .upper { return true }
            return last == .upper && this == .upper && place + 1 < scalars.count && scalars[place + 1].kind == .lower
        }
    }

    /// To `wordLengthMax` bytes, between scalars.
    private static func cut(_ word: [UInt8]) -> [UInt8] {
        if word.count <= wordLengthMax { return word }
        var end = wordLengthMax
        while end > 0, word[end] & 0xC0 == 0x80 { end -= 1 }
        return [UInt8](word[..<end])
    }
}

/// The words of one field of a stored document.
public struct FieldWords: Sendable, Equatable {
    /// In the order of the text, so that phrases can be found.
    public var parts: [[UInt8]] = []
    /// Of the runs that have several parts.
    public var wholes: [[UInt8]] = []

    public init() {}

    /// At most `countMax` parts.
    public init(_ text: some Collection<UInt8>, countMax: Int) {
        for run in Tokenizer.runs(of: text, countMax: countMax) {
            parts += run.parts
            if let whole = run.whole { wholes.append(whole) }
        }
    }
}
