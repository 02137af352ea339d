public import Vips

/// What a step works with: the folder, its limits, its deadline, and whom it tells how far it is.
public final class StepContext {
    public let folder: WorkFolder
    public let helper: HelperClass
    public let limits: MediaLimits
    public let vips: VipsLibrary
    let kept: KeptPicture
    let programs: Programs
    /// Before the names of the files that this request writes.
    private let prefix: String
    private let deadline: ContinuousClock.Instant
    private let report: (_ stage: String, _ fraction: Double) -> Void
    private var written: [String] = []

    /// `prefix` keeps the outputs of requests apart that share a folder.
    public init(
        folder: WorkFolder, helper: HelperClass, limits: MediaLimits, vips: VipsLibrary, kept: KeptPicture,
        programs: Programs, prefix: String, timeout: Duration,
        report: @escaping (_ stage: String, _ fraction: Double) -> Void = { _, _ in }
    ) {
        self.folder = folder
        self.helper = helper
        self.limits = limits
        self.vips = vips
        self.kept = kept
        self.programs = programs
        self.prefix = prefix
        deadline = .now + timeout
        self.report = report
    }

    var timeLeft: Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }

    /// Between the parts of a step: says what begins, and ends the step where its time has run out.
    func begin(_ stage: String) throws(MediaError) {
        guard timeLeft > .zero else { throw MediaError(.timeout, "the step's time has run out before \(stage)") }
        report(stage, 0)
    }

    func progress(_ stage: String, _ fraction: Double) { report(stage, min(1, max(0, fraction))) }

    /// Says how far a part is, and ends it where its time has run out.
    func watch(_ stage: String) -> Watch {
        let deadline = deadline
        let report = report
        return Watch { fraction in
            report(stage, fraction)
            return ContinuousClock.now < deadline
        }
    }

    /// Ends a part where its time has run out, and says nothing: for another thread than the step's own.
    var quietWatch: Watch {
        let deadline = deadline
        return Watch { _ in ContinuousClock.now < deadline }
    }

    func type(of name: String) throws(MediaError) -> FileType {
        FileType.sniff(try folder.read(name, bytesMax: FileType.headBytes))
    }

    /// The whole of a small file.
    func document(_ name: String) throws(MediaError) -> [UInt8] {
        let size = try folder.identity(of: name).size
        guard size <= limits.documentBytesMax else {
            throw MediaError(.limit, "\(size) bytes are more than the \(limits.documentBytesMax) of a document")
        }
        return try folder.read(name, bytesMax: limits.documentBytesMax)
    }

    /// The name of a file for an output; it is removed again where the step fails.
    func newFile(_ name: String) throws(MediaError) -> String {
        let file = prefix + name
        guard WorkFolder.isName(file) else {
            throw MediaError(.options, "'\(name.prefix(64))' is no name for an output")
        }
        written.append(file)
        return file
    }

    /// Removes what a failed step has written.
    public func removeOutputs() {
        written.forEach(folder.remove)
        written = []
    }

    /// A file that is needed during the step only.
    func removeScratch(_ file: String) {
        folder.remove(file)
        written.removeAll { $0 == file }
    }
}
