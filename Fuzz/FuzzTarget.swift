import Glibc

/// A parser under test. `run` returns for every input, or the input is a finding: nothing may trap, and what was read must hold
/// together.
enum FuzzTarget: String, CaseIterable {
    case requestHead = "request-head"
    case httpChunked = "http-chunked"
    case sigV4 = "sigv4"
    case policy = "policy"
    case awsChunked = "aws-chunked"
    case awsChunkedSigned = "aws-chunked-signed"
    case xml = "xml"
    case range = "range"
    case encodings = "encodings"
    case log = "log"
    case change = "change"
    case trailer = "trailer"
    case search = "search"
    case form = "form"
    case bucketPolicy = "bucket-policy"

    /// The target that OGW_FUZZ_TARGET names; nil when it names none.
    static var chosen: FuzzTarget? {
        // SAFETY: read once, before any thread is started.
        guard let text = unsafe getenv("OGW_FUZZ_TARGET") else { return nil }
        return unsafe FuzzTarget(rawValue: String(cString: text))
    }

    func run(_ input: [UInt8]) {
        switch self {
        case .requestHead: fuzzRequestHead(input)
        case .httpChunked: fuzzHTTPChunked(input)
        case .sigV4: fuzzSigV4(input)
        case .policy: fuzzPolicy(input)
        case .awsChunked: fuzzUnsignedChunks(input)
        case .awsChunkedSigned: fuzzSignedChunks(input)
        case .xml: fuzzXML(input)
        case .range: fuzzRange(input)
        case .encodings: fuzzEncodings(input)
        case .log: fuzzLog(input)
        case .change: fuzzChange(input)
        case .trailer: fuzzTrailer(input)
        case .search: fuzzSearch(input)
        case .form: fuzzForm(input)
        case .bucketPolicy: fuzzBucketPolicy(input)
        }
    }
}

/// Ends the process when a parser contradicts itself, which the fuzzer reports with its input.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
