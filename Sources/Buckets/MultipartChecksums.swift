public import Digests
public import Metadata

/// What Complete computes over the parts of an upload (userguide/checking-object-integrity-upload, "Multipart uploads").
/// `parts` are those that Complete names, in its order.
public enum MultipartChecksums {
    /// The MD5 of the parts' MD5s, with the count of parts.
    public static func etag(ofParts values: [[UInt8]]) -> ETag {
        ETag(md5: digest(.md5, of: values), partCount: values.count)
    }

    /// The pairs that AWS allows; the others are InvalidRequest. CRC64NVME cannot be composite, and the SHA digests cannot
    /// be combined to that of the full object.
    public static func isAllowed(_ algorithm: DigestAlgorithm, _ kind: Checksum.Kind) -> Bool {
        switch (algorithm, kind) {
        case (.crc32, _), (.crc32c, _): true
        case (.crc64nvme, .fullObject), (.sha1, .composite), (.sha256, .composite): true
        case (.crc64nvme, .composite), (.sha1, .fullObject), (.sha256, .fullObject), (.md5, _): false
        }
    }

    /// The kind of an upload whose request names an algorithm only.
    public static func defaultKind(of algorithm: DigestAlgorithm) -> Checksum.Kind {
        algorithm == .crc64nvme ? .fullObject : .composite
    }

    /// The object's checksum. Nil where the pair is not allowed, there is no part, or a part has no checksum of this
    /// algorithm.
    public static func checksum(
        _ algorithm: DigestAlgorithm, _ kind: Checksum.Kind, of parts: [UploadedPart]
    ) -> Checksum? {
        guard isAllowed(algorithm, kind), !parts.isEmpty else { return nil }
        var values: [[UInt8]] = []
        values.reserveCapacity(parts.count)
        for part in parts {
            guard let checksum = part.checksum, checksum.algorithm == algorithm,
                checksum.value.count == algorithm.length
            else { return nil }
            values.append(checksum.value)
        }
        switch kind {
        case .composite:
            return Checksum(
                algorithm: algorithm, kind: kind, value: digest(algorithm, of: values), partCount: parts.count)
        case .fullObject:
            return combined(algorithm, parts: parts, values: values).map {
                Checksum(algorithm: algorithm, kind: kind, value: $0)
            }
        }
    }

    private static func combined(
        _ algorithm: DigestAlgorithm, parts: [UploadedPart], values: [[UInt8]]
    ) -> [UInt8]? {
        guard var whole = values.first else { return nil }
        for (part, value) in zip(parts, values).dropFirst() {
            guard let longer = DigestValues.combine(algorithm, whole, value, secondLength: part.size) else {
                return nil
            }
            whole = longer
        }
        return whole
    }

    private static func digest(_ algorithm: DigestAlgorithm, of values: [[UInt8]]) -> [UInt8] {
        let stream = DigestStream(DigestSet(algorithm))
        for value in values { stream.update(value.span) }
        return stream.finish()[algorithm] ?? []
    }
}
