import Bytes
import Hooks

/// How a notification configuration names a hook: as a function of Lambda, in a form that the checks of SDKs and Terraform accept.
public enum HookARN {
    /// No account has this number.
    static let account = "000000000000"

    public static func text(of hook: String, region: String) -> String {
        "arn:aws:lambda:\(region):\(account):function:\(hook)"
    }

    /// The hook's name; nil for what names none. The region may be any.
    static func hook(of text: some Collection<UInt8>) -> String? {
        let parts = Array(text).split(separator: Ascii.colon, omittingEmptySubsequences: false)
        guard parts.count == 7, parts[0].elementsEqual("arn".utf8), parts[1].elementsEqual("aws".utf8),
            parts[2].elementsEqual("lambda".utf8), parts[4].elementsEqual(account.utf8),
            parts[5].elementsEqual("function".utf8)
        else { return nil }
        let name = String(decoding: parts[6], as: UTF8.self)
        return HookName.isName(name) ? name : nil
    }
}
