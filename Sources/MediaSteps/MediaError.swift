import Vips

/// Why a step has no outputs.
public struct MediaError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, Encodable {
        /// The content is damaged, or is not what it begins as.
        case undecodable
        /// The content is of a kind that the step, or this build, does not take.
        case unsupported
        /// More pixels, frames, pages, seconds or bytes than the limits allow.
        case limit
        /// The request itself is wrong.
        case options
        /// The input file is not in the work folder.
        case input
        /// The step's wall clock has run out.
        case timeout
        /// A program that the step runs is not on this machine.
        case program
        /// What the machine could not do, such as write to a full disk.
        case failed
        /// Another class of helper takes this input; see `helper`.
        case helper = "class"
    }

    public let code: Code
    public let reason: String
    /// Set with `Code.helper`: the class that takes this input.
    public var helper: HelperClass?

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// True where the same request cannot work, however often it is tried.
    public var permanent: Bool {
        switch code {
        case .undecodable, .unsupported, .limit, .options: true
        case .input, .timeout, .program, .failed, .helper: false
        }
    }

    public var description: String { "\(code.rawValue): \(reason)" }

    /// What libvips says while it reads `what`.
    init(_ error: VipsError, reading what: String) {
        switch error {
        case .stopped: self.init(.timeout, "the step's time has run out")
        case .notStarted, .missing: self.init(.failed, error.description)
        case .failed(_, let reason):
            // A saver pulls its pixels through the decoder, so that either's errors arrive here.
            if reason.contains("out of memory") {
                self.init(.limit, "\(what) needs more memory than a helper may have")
                return
            }
            let isMachine = reason.contains(": write error;")
            self.init(isMachine ? .failed : .undecodable, isMachine ? reason : "\(what): \(reason)")
        }
    }

    static func otherClass(_ helper: HelperClass, _ type: FileType) -> MediaError {
        var error = MediaError(.helper, "\(type.rawValue) is taken by helpers of class \(helper.rawValue)")
        error.helper = helper
        return error
    }
}

/// Which inputs a helper takes, by what it may do.
public enum HelperClass: String, Sendable, CaseIterable, Codable {
    /// Pictures of pixels. Runs no program.
    case images
    /// SVG, PDF, DOCX and text, and pictures beside them. Runs no program; its limits are smaller.
    case documents
    /// Sound and film. Runs ffmpeg and ffprobe, and nothing else.
    case media
}
