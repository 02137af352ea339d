import Bytes
import Digests
import HTTPServer
import Metadata

extension DigestAlgorithm {
    /// The additional checksums of S3; MD5 is not one of them.
    static let checksums: [DigestAlgorithm] = [.crc32, .crc32c, .crc64nvme, .sha1, .sha256]

    /// As `x-amz-checksum-algorithm` names it.
    var s3Name: StaticString {
        switch self {
        case .md5: "MD5"
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        case .crc32: "CRC32"
        case .crc32c: "CRC32C"
        case .crc64nvme: "CRC64NVME"
        }
    }

    var headerName: StaticString {
        switch self {
        case .md5: "content-md5"
        case .sha1: "x-amz-checksum-sha1"
        case .sha256: "x-amz-checksum-sha256"
        case .crc32: "x-amz-checksum-crc32"
        case .crc32c: "x-amz-checksum-crc32c"
        case .crc64nvme: "x-amz-checksum-crc64nvme"
        }
    }

    /// The element's name in S3's documents.
    var elementName: StaticString {
        switch self {
        case .md5: "ContentMD5"
        case .sha1: "ChecksumSHA1"
        case .sha256: "ChecksumSHA256"
        case .crc32: "ChecksumCRC32"
        case .crc32c: "ChecksumCRC32C"
        case .crc64nvme: "ChecksumCRC64NVME"
        }
    }

    /// Reads `CRC32`, `SHA256`, ... in any case.
    init?(s3Name text: some Collection<UInt8>) {
        let upper = text.map { Ascii.isLower($0) ? $0 - 0x20 : $0 }
        guard let found = Self.checksums.first(where: { $0.s3Name.matches(upper) }) else { return nil }
        self = found
    }

    /// Reads the name of a checksum header, in any case.
    init?(headerName text: some Collection<UInt8>) {
        let lower = Ascii.lowered(text)
        guard let found = Self.checksums.first(where: { $0.headerName.matches(lower) }) else { return nil }
        self = found
    }
}

extension Checksum.Kind {
    var s3Name: StaticString {
        switch self {
        case .fullObject: "FULL_OBJECT"
        case .composite: "COMPOSITE"
        }
    }

    init?(s3Name text: some Collection<UInt8>) {
        if Checksum.Kind.fullObject.s3Name.matches(text) {
            self = .fullObject
        } else if Checksum.Kind.composite.s3Name.matches(text) {
            self = .composite
        } else {
            return nil
        }
    }
}

extension Checksum {
    /// Base 64, with `-N` where it is made of N parts.
    var text: [UInt8] {
        guard kind == .composite, let partCount else { return Base64.encode(value) }
        return Base64.encode(value) + [Ascii.dash] + Ascii.decimal(of: UInt64(max(0, partCount)))
    }
}

/// The checksum that a request announces for its body: an algorithm, and its value where it stands in a header.
struct AnnouncedChecksum: Sendable, Equatable {
    var algorithm: DigestAlgorithm
    /// Nil when the value follows in a trailer, or when the client leaves the computing to the server.
    var value: [UInt8]?
    var comesAsTrailer = false

    /// Reads header, trailer announcement and, in presigned requests, the query. Nil when none is announced.
    /// Throws InvalidRequest for more than one, or one both as header and trailer (S3-TRAPS 4).
    static func read(_ head: RequestHead, _ query: QueryParameters) throws(S3Error) -> AnnouncedChecksum? {
        var found: AnnouncedChecksum?
        for algorithm in DigestAlgorithm.checksums {
            guard let text = head.first(algorithm.headerName) ?? query[algorithm.headerName].map({ $0[...] }) else {
                continue
            }
            guard found == nil else {
                throw S3Error(
                    .invalidRequest,
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
            }
            guard let value = Base64.decode(text), value.count == algorithm.length else {
                throw S3Error(
                    .invalidRequest, "Value for \(algorithm.headerName.description) header is invalid.")
            }
            found = AnnouncedChecksum(algorithm: algorithm, value: value)
        }
        if let trailer = try readTrailer(head) {
            guard found == nil else {
                throw S3Error(.invalidRequest, "Expecting a single x-amz-checksum- header")
            }
            found = trailer
        }
        let named =
            head.first("x-amz-sdk-checksum-algorithm") ?? head.first("x-amz-checksum-algorithm")
            ?? query["x-amz-sdk-checksum-algorithm"].map { $0[...] }
        if let named {
            guard let algorithm = DigestAlgorithm(s3Name: named) else {
                throw S3Error(
                    .invalidRequest,
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
                )
            }
            guard let sent = found else { return AnnouncedChecksum(algorithm: algorithm) }
            if sent.algorithm != algorithm {
                throw S3Error(.invalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid.")
            }
        }
        return found
    }

    /// The checksum that follows the body, where one is announced among the trailers.
    static func readTrailer(_ head: RequestHead) throws(S3Error) -> AnnouncedChecksum? {
        let algorithms = head.all("x-amz-trailer").flatMap { $0.split(separator: Ascii.comma) }
            .compactMap { DigestAlgorithm(headerName: Ascii.trimmed($0)) }
        guard let algorithm = algorithms.first else { return nil }
        guard algorithms.count == 1 else { throw S3Error(.invalidRequest, "Expecting a single x-amz-checksum- header") }
        return AnnouncedChecksum(algorithm: algorithm, value: nil, comesAsTrailer: true)
    }
}

extension HeaderBlock {
    mutating func add(_ checksum: Checksum) {
        add(checksum.algorithm.headerName, checksum.text)
        add("x-amz-checksum-type", checksum.kind.s3Name.description)
    }
}
