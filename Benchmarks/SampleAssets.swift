import Bytes
import Metadata
import Search

/// Assets that are the same in every run: words follow Zipf's law, as in natural text.
struct SampleAssets {
    static let customerCount = 50
    static let bucket = "image-assets"
    private static let wordCount = 30_000
    private static let tagCount = 3_000
    private static let folderCount = 400

    let number: Int
    private var random: SampleRandom

    init(_ number: Int) {
        self.number = number
        random = SampleRandom(seed: UInt64(number))
    }

    static func user(_ customer: Int) -> User {
        User(
            name: "c\(customer)", accessKey: Array("KEY\(customer)".utf8), sealedSecret: [1], policy: .readwrite,
            customer: "c\(customer)", isDisabled: false, created: .now())
    }

    /// Nil where the key is none, which no sample's is.
    func version(in bucket: BucketID) -> NewVersion? {
        var random = random
        let type = random.below(10)
        let (mime, ending) =
            type < 6
            ? ("image/jpeg", "jpg")
            : type < 8 ? ("video/mp4", "mp4") : type < 9 ? ("audio/mpeg", "mp3") : ("application/pdf", "pdf")
        let customer = random.below(Self.customerCount)
        let folder = Self.folder(random.rank(Self.folderCount))
        let name = (0..<2 + random.below(2)).map { _ in Self.word(random.rank(Self.wordCount)) }.joined(separator: "_")
        guard let key = ObjectKey("c\(customer)/\(folder)/\(name)_\(number).\(ending)".utf8) else { return nil }
        var attributes = ObjectAttributes()
        attributes.contentType = Array(mime.utf8)
        func text(_ count: Int) -> [UInt8] {
            Array((0..<count).map { _ in Self.word(random.rank(Self.wordCount)) }.joined(separator: " ").utf8)
        }
        attributes.userMetadata = [
            UserMetadata(name: Array("title".utf8), value: text(3 + random.below(3))),
            UserMetadata(name: Array("description".utf8), value: text(5 + random.below(12))),
        ]
        var tags: [Tag] = []
        for _ in 0..<random.below(5) {
            let tag = Tag(key: Array(Self.tag(random.rank(Self.tagCount)).utf8), value: [])
            if !tags.contains(tag) { tags.append(tag) }
        }
        // From a few hundred bytes to a few gigabytes, most of them some hundred kilobytes.
        let size =
            UInt64(1) << UInt64(8 + random.below(8) + random.below(8) + random.below(8)) + UInt64(random.below(1 << 8))
        return NewVersion(
            bucket: bucket, key: key, owner: "c\(customer)", size: size,
            etag: ETag(md5: [UInt8](repeating: 1, count: 16)), attributes: attributes, checksum: nil, tags: tags,
            content: .empty)
    }

    var details: AssetDetails {
        var random = SampleRandom(seed: UInt64(number) ^ 0x5555)
        var details = AssetDetails()
        details.width = Int64(320 + random.below(7_000))
        details.height = Int64(240 + random.below(5_000))
        if random.below(3) == 0 { details.duration = Int64(random.below(7_200_000)) }
        return details
    }

    static func tag(_ rank: Int) -> String { "\(word(rank * 7 + 3))-\(rank % 10)" }
    static func folder(_ rank: Int) -> String { rank % 3 == 0 ? word(rank) : "\(word(rank % 20))/\(word(rank))" }

    /// Made of syllables; the same for the same rank.
    static func word(_ rank: Int) -> String {
        let consonants = Array("bcdfghjklmnprstvwz")
        let vowels = Array("aeiou")
        var value = UInt64(rank + 1) &* 0x9E37_79B9_7F4A_7C15
        var word = ""
        for _ in 0..<2 + Int(value >> 61) % 3 {
            word.append(consonants[Int(value % 18)])
            value /= 18
            word.append(vowels[Int(value % 5)])
            value /= 5
        }
        if value % 3 == 0 { word.append(consonants[Int(value / 3 % 18)]) }
        return word
    }
}

/// What is asked of the assets: the mix that `make bench` publishes.
enum SampleQueries {
    enum Kind: String, CaseIterable {
        case word, words, prefix, phrase, name, tag, folder, size, dates, combined, facets
    }

    static func request(_ kind: Kind, _ number: Int) throws -> SearchRequest {
        var random = SampleRandom(seed: UInt64(number) &* 31 &+ 7)
        func word() -> String { SampleAssets.word(random.rank(30_000)) }
        var facets: Set<Facet> = []
        let text: String
        switch kind {
        case .word: text = word()
        case .words: text = "\(word()) \(word())"
        case .prefix: text = "\(word().prefix(3 + random.below(3)))*"
        case .phrase: text = "\"\(word()) \(word())\""
        case .name: text = "name:\(word())"
        case .tag: text = "tag:\(SampleAssets.tag(random.rank(3_000)))"
        case .folder: text = "folder:\(SampleAssets.folder(random.rank(400))) \(word())"
        case .size: text = "type:video size:>\(1 + random.below(500))mb"
        case .dates: text = "\(word()) created:2024-0\(1 + random.below(9))..2025-0\(1 + random.below(9))"
        case .combined:
            text = "\(word()) type:image size:100kb..20mb tag:\(SampleAssets.tag(random.rank(100)))"
        case .facets:
            text = "\(word()) -\(word())"
            facets = Set(Facet.allCases)
        }
        let customer = random.below(2) == 0 ? Array("c\(random.below(SampleAssets.customerCount))".utf8) : nil
        return SearchRequest(
            query: try SearchQuery.parse(Array(text.utf8)), customer: customer, limit: 50, facets: facets)
    }
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators").
struct SampleRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0xD129_0B26_8D5A_2F7B &+ 0x1234_5678_9ABC_DEF1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    /// 0..<count, the first ones most often: about as one over the rank.
    mutating func rank(_ count: Int) -> Int {
        let bits = UInt64(64 - UInt64(max(1, count)).leadingZeroBitCount)
        let top = next() % bits
        return Int((next() % (UInt64(1) << (top + 1)))) % count
    }
}
