/// Writes sound or film anew by one of a few named profiles.
public struct TranscodeStep {
    public enum Profile: String, Sendable, Decodable, CaseIterable {
        case mp3 = "mp3-128k"
        case aac = "aac-128k"
        case h264 = "h264-720p"
        case webm = "webm-720p"

        var ending: String {
            switch self {
            case .mp3: "mp3"
            case .aac: "m4a"
            case .h264: "mp4"
            case .webm: "webm"
            }
        }

        var mime: String {
            switch self {
            case .mp3: "audio/mpeg"
            case .aac: "audio/mp4"
            case .h264: "video/mp4"
            case .webm: "video/webm"
            }
        }

        var isFilm: Bool { self == .h264 || self == .webm }

        /// The muxer is named, so that no file name chooses it. Heights are even, and never above the source's.
        var arguments: [String] {
            let height = ["-map", "0:v:0", "-map", "0:a:0?", "-vf", "scale=-2:'max(2,trunc(min(720,ih)/2)*2)'"]
            let sound = ["-map", "0:a:0", "-vn"]
            return switch self {
            case .mp3: sound + ["-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", "3", "-f", "mp3"]
            case .aac: sound + ["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", "-f", "ipod"]
            case .h264:
                height + [
                    "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-c:a", "aac",
                    "-b:a",
                    "128k", "-movflags", "+faststart", "-f", "mp4",
                ]
            case .webm:
                height + [
                    "-c:v", "libvpx-vp9", "-crf", "33", "-b:v", "0", "-cpu-used", "5", "-row-mt", "1", "-pix_fmt",
                    "yuv420p", "-c:a", "libopus", "-b:a", "96k", "-f", "webm",
                ]
            }
        }
    }

    let profiles: [Profile]
    let context: StepContext

    public init(_ profiles: [Profile], _ context: StepContext) {
        self.profiles = profiles
        self.context = context
    }

    /// One output for each profile, called by it.
    public func run(_ input: String) throws(MediaError) -> [StepOutput] {
        guard !profiles.isEmpty, Set(profiles).count == profiles.count else {
            throw MediaError(.options, "profiles: one of each of \(Profile.allCases.map(\.rawValue)) is wanted at most")
        }
        let type = try context.type(of: input)
        let probe = try FilmProbe.read(input, type, context)
        var outputs: [StepOutput] = []
        for profile in profiles {
            guard profile.isFilm ? probe.film != nil : probe.sound != nil else {
                throw MediaError(
                    .unsupported, "\(input) has no \(profile.isFilm ? "film" : "sound") for \(profile.rawValue)")
            }
            try context.begin(profile.rawValue)
            let name = "\(profile.rawValue).\(profile.ending)"
            let file = try context.newFile(name)
            try FFmpeg.run(
                FFmpeg.input(input, type, context) + profile.arguments + [
                    "-threads", "2", FFmpeg.output(file, context),
                ],
                stage: profile.rawValue, duration: probe.duration, context)
            var output = try StepOutput(name, file: file, mime: profile.mime, in: context.folder)
            guard output.size > 0 else { throw MediaError(.undecodable, "\(input): nothing could be decoded") }
            let made = try FilmProbe.read(file, context.type(of: file), context)
            output.duration = made.duration
            (output.width, output.height) = (made.size?.width, made.size?.height)
            output.variant = profile.rawValue
            outputs.append(output)
        }
        return outputs
    }
}
