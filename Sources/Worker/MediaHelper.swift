import Bytes
import Files
import Glibc
import JSON

/// A running `ogw-media` (docs/MEDIA.md). For one caller at a time; all calls block.
final class MediaHelper {
    /// Why there is no answer.
    enum Failure: Error {
        case notStarted(String)
        /// It ended in the middle of a request.
        case died(String)
        /// Nobody wants the answer any more.
        case stopped
    }

    private let program: SpawnedProgram
    private let output: OpenFile
    private var buffered: [UInt8] = []
    private(set) var requestCount = 0
    private static let lineBytesMax = 4 << 20
    private static let startTime = Duration.seconds(60)

    private init(_ program: SpawnedProgram, _ output: OpenFile) { (self.program, self.output) = (program, output) }

    /// One that is ready for requests on the files of `folder`.
    static func start(
        _ path: String, helperClass: String, folder: String, isCancelled: () -> Bool
    ) throws(Failure) -> MediaHelper {
        let program: SpawnedProgram
        do throws(SystemError) {
            program = try SpawnedProgram.start(
                path, ["--folder", folder, "--class", helperClass],
                environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"], takesOutput: true)
        } catch {
            throw .notStarted("\(error)")
        }
        guard let output = program.output else { throw .notStarted("no pipe") }
        let helper = MediaHelper(program, output)
        let line = try helper.line(deadline: .now + startTime, isCancelled)
        guard line["ready"]?.bool == true else {
            helper.end()
            throw .notStarted("\(path) does not begin as ogw-media does")
        }
        return helper
    }

    /// Ends it, with what it runs.
    func end() {
        // The end of its input is what it watches: the programs that it runs end with it then.
        program.closeInput()
        program.end(within: .seconds(2))
    }

    /// The last line of the answer: with `outputs` or with `error`.
    func ask(
        _ step: String, input: String, options: JSONValue, timeout: Duration, tell: (String, Double) -> Void,
        isCancelled: () -> Bool
    ) throws(Failure) -> JSONValue {
        requestCount += 1
        let request: JSONValue = [
            "id": .integer(Int64(requestCount)), "step": .string(step), "input": .string(input),
            "timeout_ms": .integer(max(1, timeout.milliseconds)), "options": options,
        ]
        try write(request.text + [Ascii.lineFeed])
        // It gives itself up three seconds after its time; one that does not is given up by this side.
        let deadline = ContinuousClock.now + timeout + .seconds(10)
        while true {
            let line = try line(deadline: deadline, isCancelled)
            if let progress = line["progress"] {
                tell(progress["stage"]?.string ?? step, progress["fraction"]?.number ?? 0)
            } else {
                return line
            }
        }
    }

    private func write(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the pointer is used within the call only.
            let written = unsafe rest.withUnsafeBufferPointer {
                unsafe Glibc.write(program.input.descriptor, $0.baseAddress, $0.count)
            }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                throw .died(reasonOfDeath())
            }
        }
    }

    private func line(deadline: ContinuousClock.Instant, _ isCancelled: () -> Bool) throws(Failure) -> JSONValue {
        while true {
            if let end = buffered.firstIndex(of: Ascii.lineFeed) {
                let text = Array(buffered[..<end])
                buffered.removeFirst(end + 1)
                guard let value = JSONValue(parsing: text) else { throw .died("it wrote what is not JSON") }
                return value
            }
            guard buffered.count < Self.lineBytesMax else { throw .died("it wrote a line without end") }
            if isCancelled() { throw .stopped }
            guard ContinuousClock.now < deadline else { throw .died("it did not end when its time was over") }
            var waiting = pollfd(fd: output.descriptor, events: Int16(POLLIN), revents: 0)
            // SAFETY: the struct is lent for the call; so is the room below, with its size.
            guard unsafe poll(&waiting, 1, 200) > 0 else { continue }
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let got = unsafe read(output.descriptor, &piece, piece.count)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw .died(reasonOfDeath()) }
            buffered += piece[..<got]
        }
    }

    private func reasonOfDeath() -> String {
        // Its pipes may close a moment before it can be waited for.
        for _ in 0..<500 {
            if let ending = program.poll() { return ending.description }
            usleep(2_000)
        }
        return "it closed its output"
    }
}
