import Bytes
public import Hooks

/// How a notification configuration names a target: as a queue of SQS or a topic of SNS, in a form that the checks of SDKs and
/// Terraform accept, such as `arn:aws:sqs:us-east-1:000000000000:webhook-cms`; or as MinIO does, `arn:minio:sqs::cms:webhook`.
public enum TargetARN {
    public static func text(of target: TargetName, isTopic: Bool, region: String) -> String {
        "arn:aws:\(isTopic ? "sns" : "sqs"):\(region):\(HookARN.account):\(target.kind.rawValue)-\(target.name)"
    }

    /// Nil for what names none. The region may be any.
    static func target(of text: some Collection<UInt8>, isTopic: Bool) -> TargetName? {
        let parts = Array(text).split(separator: Ascii.colon, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count == 6, parts[0] == "arn" else { return nil }
        if parts[1] == "minio", parts[2] == "sqs", !isTopic { return TargetName("\(parts[5]):\(parts[4])") }
        guard parts[1] == "aws", parts[2] == (isTopic ? "sns" : "sqs"), parts[4] == HookARN.account,
            let dash = parts[5].firstIndex(of: "-")
        else { return nil }
        return TargetName("\(parts[5][..<dash]):\(parts[5][parts[5].index(after: dash)...])")
    }
}
