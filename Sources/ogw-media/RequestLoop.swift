import FoundationEssentials
import MediaSteps
import Vips

/// Answers requests one by one until standard input ends, which it does when the supervisor does.
struct RequestLoop {
    /// Bytes of a request's line.
    static let lineBytesMax = 256 << 10

    let input: StandardInput
    let output: Output
    let helper: HelperClass
    let vips: VipsLibrary
    let programs: Programs
    let watchdog: Watchdog

    /// Returns the exit status: 0 at the end of input, 2 when a line is longer than a request.
    func run() -> Int32 {
        let kept = KeptPicture()
        while true {
            guard let line = input.readLine(bytesMax: Self.lineBytesMax) else { return input.reachedEnd ? 0 : 2 }
            let data = Data(line)
            do {
                answer(try JSONDecoder().decode(Request.self, from: data), kept)
            } catch {
                let id = try? JSONDecoder().decode(RequestNumber.self, from: data).id
                send(Answer(id: id, error: .init(MediaError(.options, "not a request: \(Self.reason(error))"))))
            }
        }
    }

    private func answer(_ request: Request, _ kept: KeptPicture) {
        var pace = ProgressPace()
        let context = StepContext(
            folder: WorkFolder("."), helper: helper, limits: MediaLimits(helper), vips: vips, kept: kept,
            programs: programs, prefix: "\(request.id)-", timeout: request.timeout
        ) { stage, fraction in
            if pace.tells(stage) {
                send(Answer(id: request.id, progress: .init(stage: stage, fraction: fraction)))
            }
        }
        Limits.allowProcessorTime(request.timeout)
        watchdog.expect(request.id, within: request.timeout)
        var answer = Answer(id: request.id)
        do {
            switch request.options {
            case .probe:
                answer.results = try ProbeStep(context).run(request.input)
                answer.outputs = []
            case .watermark(let options): answer.outputs = try WatermarkStep(options, context).run(request.input)
            case .variants(let options):
                answer.outputs = try VariantsStep(options.presets, context).run(request.input)
            case .preview(let options): answer.outputs = try PreviewStep(options, context).run(request.input)
            case .transcode(let options):
                answer.outputs = try TranscodeStep(options.profiles, context).run(request.input)
            }
        } catch {
            context.removeOutputs()
            answer.error = .init(error)
        }
        // From here on the step's time is not held against it, or two ends could be told of one request.
        guard watchdog.disarm() else { return }
        send(answer)
    }

    private func send(_ answer: Answer) { output.write(line: answer) }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "no JSON object" : "\(path) is not of the kind that is wanted"
        @unknown default: return "\(error)"
        }
    }
}

/// Keeps progress from flooding the pipe: a line for each new stage, then four in a second.
struct ProgressPace {
    private var stage = ""
    private var told = ContinuousClock.now

    mutating func tells(_ stage: String) -> Bool {
        let now = ContinuousClock.now
        guard stage == self.stage, told.duration(to: now) < .milliseconds(250) else {
            (self.stage, told) = (stage, now)
            return true
        }
        return false
    }
}
