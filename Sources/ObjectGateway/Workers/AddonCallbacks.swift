import Addons
import Bytes
import Hooks
import JSON
import Metadata

/// `POST /api/addon-callbacks/{token}`: an addon says how far it is, or what it found. What it found is durable before it is answered, and
/// whichever worker comes next goes on with it.
struct AddonCallbacks: Sendable {
    let jobs: JobEngine
    let tokens: CallbackTokens

    private static let said = Schema.any(
        description:
            "{\"status\": \"processing|completed|failed\", \"progress\", \"stage\", \"metadata\", \"files\": [{\"url\", \"name\", \"content_type\"}], \"error\"}"
    )

    var routes: [Route] {
        [
            Route(
                .post, "/api/addon-callbacks/{token}", "Tell of the work that an addon was asked for", access: .anyone,
                request: Self.said,
                response: .json(.object([.init("state", .string(choices: ["waiting", "accepted"]))]))
            ) { input in .json(["state": .string(try await take(input))]) }
        ]
    }

    private static let over = Problem(410, "Gone", "Nobody waits for this any more.")

    private func take(_ input: RouteInput) async throws -> String {
        let engine = jobs
        guard let (job, until) = tokens.read(input.parameter("token")) else {
            throw Problem(404, "Not found", "There is no such callback.")
        }
        guard until > .now() else { throw Self.over }
        let word: AddonWord
        do throws(JSONFault) { word = try AddonWord(reading: input.body) } catch {
            throw Problem.invalid([.init(field: error.path, wanted: error.wanted, value: error.value)])
        }
        if case .progress(let stage, let fraction) = word {
            let progress = JobProgress(stage: stage ?? "addon", fraction: fraction)
            guard try await engine.note(progress, of: job) else { throw Self.over }
            return "waiting"
        }
        let text = input.body.text
        guard text.count <= Job.answerMax else {
            throw Problem(
                413, "Too long",
                "An answer has at most \(Job.answerMax >> 10) KiB; what is longer is a file with a url.")
        }
        switch try await engine.answer(job, text) {
        case .noted, .repeated: return "accepted"
        case .over: throw Self.over
        }
    }
}
