import Bytes

/// `<access key>/<date>/<region>/s3/aws4_request`.
struct Credential: Sendable, Equatable {
    let accessKey: ArraySlice<UInt8>
    /// `yyyymmdd`
    let date: ArraySlice<UInt8>
    let region: ArraySlice<UInt8>
    /// All after the access key: what the string to sign names.
    let scope: ArraySlice<UInt8>

    private static let accessKeyLengthMax = 128

    /// The access key may itself hold slashes, so the scope is taken from the right.
    static func parse(_ text: ArraySlice<UInt8>, _ form: SignatureError.Form) throws(SignatureError) -> Credential {
        // From the right: the places of the four slashes, -1 where one is missing.
        var (terminal, service, region, key) = (-1, -1, -1, -1)
        for index in text.indices.reversed() where text[index] == Ascii.slash {
            if terminal < 0 {
                terminal = index
            } else if service < 0 {
                service = index
            } else if region < 0 {
                region = index
            } else {
                key = index
                break
            }
        }
        guard key > text.startIndex, key - text.startIndex <= accessKeyLengthMax else {
            throw .malformed(
                form, "the Credential is malformed; expecting \"<access key>/YYYYMMDD/REGION/s3/aws4_request\"")
        }
        let date = text[(key + 1)..<region]
        let serviceName = text[(service + 1)..<terminal]
        guard Ascii.equal(text[(terminal + 1)...], "aws4_request") else {
            throw .malformed(form, "incorrect terminal in the Credential; expecting \"aws4_request\"")
        }
        guard Ascii.equal(serviceName, "s3") else {
            throw .malformed(form, "incorrect service \"\(String(ascii: serviceName.prefix(64)))\"; expecting \"s3\"")
        }
        guard date.count == 8, date.allSatisfy(Ascii.isDigit) else {
            throw .malformed(form, "incorrect date format in the Credential; expecting \"YYYYMMDD\"")
        }
        return Credential(
            accessKey: text[..<key], date: date, region: text[(region + 1)..<service], scope: text[(key + 1)...])
    }
}
