import HTTPServer
import Policies

/// docs/S3-COMPATIBILITY.md, made from the operation table.
public enum CompatibilityDocument {
    /// The operations of Amazon S3 (API/API_Operations_Amazon_Simple_Storage_Service) that have no entry in the operation
    /// table, with what a request for them is answered.
    private static let refused: [(name: String, answer: String)] = [
        ("CreateBucketMetadataConfiguration", notImplemented),
        ("CreateBucketMetadataTableConfiguration", notImplemented),
        ("CreateSession", notImplemented),
        ("DeleteBucketAnalyticsConfiguration", notImplemented),
        ("DeleteBucketIntelligentTieringConfiguration", notImplemented),
        ("DeleteBucketInventoryConfiguration", notImplemented),
        ("DeleteBucketMetadataConfiguration", notImplemented),
        ("DeleteBucketMetadataTableConfiguration", notImplemented),
        ("DeleteBucketMetricsConfiguration", notImplemented),
        ("GetBucketAbac", notImplemented),
        ("GetBucketAnalyticsConfiguration", notImplemented),
        ("GetBucketIntelligentTieringConfiguration", notImplemented),
        ("GetBucketInventoryConfiguration", notImplemented),
        ("GetBucketMetadataConfiguration", notImplemented),
        ("GetBucketMetadataTableConfiguration", notImplemented),
        ("GetBucketMetricsConfiguration", notImplemented),
        ("GetObjectTorrent", notImplemented),
        ("ListBucketAnalyticsConfigurations", notImplemented),
        ("ListBucketIntelligentTieringConfigurations", notImplemented),
        ("ListBucketInventoryConfigurations", notImplemented),
        ("ListBucketMetricsConfigurations", notImplemented),
        ("ListDirectoryBuckets", "listed as ListBuckets does"),
        ("PutBucketAbac", notImplemented),
        ("PutBucketAccelerateConfiguration", notImplemented),
        ("PutBucketAcl", notImplemented),
        ("PutBucketAnalyticsConfiguration", notImplemented),
        ("PutBucketEncryption", notImplemented),
        ("PutBucketIntelligentTieringConfiguration", notImplemented),
        ("PutBucketInventoryConfiguration", notImplemented),
        ("PutBucketLifecycleConfiguration", notImplemented),
        ("PutBucketLogging", notImplemented),
        ("PutBucketMetricsConfiguration", notImplemented),
        ("PutBucketOwnershipControls", notImplemented),
        ("PutBucketReplication", notImplemented),
        ("PutBucketRequestPayment", notImplemented),
        ("PutBucketWebsite", notImplemented),
        ("PutObjectAcl", notImplemented),
        ("PutObjectLegalHold", notImplemented),
        ("PutObjectLockConfiguration", notImplemented),
        ("PutObjectRetention", notImplemented),
        ("RenameObject", notImplemented),
        ("RestoreObject", notImplemented),
        ("SelectObjectContent", notImplemented),
        ("WriteGetObjectResponse", "`MethodNotAllowed` (405)"),
    ]

    private static let notImplemented = "`NotImplemented` (501)"

    /// The whole text, ending with a line feed.
    public static func markdown() -> String {
        let served = OperationTable.shared.entries.map(\.route)
        var lines = [
            "# S3 compatibility", "",
            "Made from the operation table by `make docs`; a test keeps it equal. Operations are named as in AWS's API",
            "reference. A header or query that asks for something that is not served is refused by name, never ignored.",
            "",
            "## Served", "", "| Operation | Request | Right | Notes |", "|---|---|---|---|",
        ]
        for route in served.sorted(by: { $0.name.description < $1.name.description }) {
            lines.append("| \(route.name) | `\(route.requestLine)` | `\(route.action.name)` | \(route.notes) |")
        }
        lines += ["", "## Refused", "", "| Operation | Answer |", "|---|---|"]
        for operation in refused { lines.append("| \(operation.name) | \(operation.answer) |") }
        lines += ["", "\(served.count) of \(served.count + refused.count) operations are served.", ""]
        return lines.joined(separator: "\n")
    }
}

extension OperationRoute {
    /// `PUT /bucket/key?partNumber&uploadId`.
    fileprivate var requestLine: String {
        let path: String
        switch scope {
        case .service: path = "/"
        case .bucket: path = "/{bucket}"
        case .object: path = "/{bucket}/{key}"
        }
        var query = parameters.map(\.description)
        if let value = parameterValue { query.append("\(value.name)=\(value.value)") }
        let fields = header.map { ", \($0)" } ?? ""
        return "\(method.name) \(path)\(query.isEmpty ? "" : "?" + query.joined(separator: "&"))\(fields)"
    }
}
