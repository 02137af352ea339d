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
        var cuts: [Int] = []
        for index in text.indices.reversed() where text[index] == Ascii.slash {
            cuts.append(index)
            if cuts.count == 4 { break }
        }
        guard cuts.count == 4, cuts[3] > text.startIndex, cuts[3] - text.startIndex <= accessKeyLengthMax else {
            throw .malformed(
                form, "the Credential is malformed; expecting \"<access key>/YYYYMMDD/REGION/s3/aws4_request\"")
        }
        let date = text[(cuts[3] + 1)..<cuts[2]]
        let service = text[(cuts[1] + 1)..<cuts[0]]
        guard Ascii.equal(text[(cuts[0] + 1)...], "aws4_request") else {
            throw .malformed(form, "incorrect terminal in the Credential; expecting \"aws4_request\"")
        }
        guard Ascii.equal(service, "s3") else {
            throw .malformed(form, "incorrect service \"\(String(ascii: service.prefix(64)))\"; expecting \"s3\"")
        }
        guard date.count == 8, date.allSatisfy(Ascii.isDigit) else {
            throw .malformed(form, "incorrect date format in the Credential; expecting \"YYYYMMDD\"")
        }
        return Credential(
            accessKey: text[..<cuts[3]], date: date, region: text[(cuts[2] + 1)..<cuts[1]],
            scope: text[(cuts[3] + 1)...])
    }
}
