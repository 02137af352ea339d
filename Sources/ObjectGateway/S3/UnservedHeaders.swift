import HTTPServer

/// Fields that promise something this gateway does not do. Storing an object in the clear that a client asked to be
/// encrypted, or unlocked one that it asked to be locked, would be worse than refusing it.
enum UnservedHeaders {
    private static let names: [StaticString] = [
        "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-copy-source-server-side-encryption-customer-algorithm",
        "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold",
        "x-amz-bucket-object-lock-enabled", "x-amz-write-offset-bytes",
    ]

    /// Throws NotImplemented, naming the field.
    static func refuse(_ head: RequestHead) throws(S3Error) {
        for name in names {
            guard let value = head.first(name) else { continue }
            let isOff =
                name.matches("x-amz-bucket-object-lock-enabled".utf8)
                && "false".utf8.elementsEqual(value.map { $0 | 0x20 })
            if !isOff { throw S3Error(.notImplemented).adding("Header", name.description.utf8) }
        }
    }
}
