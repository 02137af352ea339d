import MediaSteps

/// One line of JSON on standard output. A request is answered by any number of lines with `progress`, then by one with
/// `outputs` or `error`.
struct Answer: Encodable {
    struct Progress: Encodable {
        let stage: String
        let fraction: Double
    }

    struct Failure: Encodable {
        let code: MediaError.Code
        let reason: String
        /// True where the same request can never work.
        let permanent: Bool
        /// With code `class`: the helpers that take this input.
        let `class`: HelperClass?

        init(_ error: MediaError) {
            code = error.code
            reason = error.reason
            permanent = error.permanent
            `class` = error.helper
        }
    }

    var id: UInt64?
    var progress: Progress?
    var outputs: [StepOutput]?
    /// What a probe has found.
    var results: ProbeResult?
    var error: Failure?
}

/// The first line, written before any request is read.
struct Ready: Encodable {
    let ready = true
    let version: String
    let libvips: String
    let `class`: HelperClass
    let sandbox: Sandbox.Report
    /// Programs that a helper of class `media` has found.
    let ffmpeg: Bool
}
