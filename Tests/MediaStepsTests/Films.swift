import TestSupport

/// Sound and film made by ffmpeg, of which length and content are known.
enum Films {
    static func sound(in folder: TemporaryFolder, _ name: String, seconds: Double, _ arguments: [String] = [])
        async throws
    {
        try await run(
            in: folder,
            ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=\(seconds)"] + arguments + [name])
    }

    /// 320 x 180 pixels, ten frames in a second, with sound; the codecs are those that are usual for the name's ending.
    static func film(in folder: TemporaryFolder, _ name: String, seconds: Double) async throws {
        let sources = [
            "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10:duration=\(seconds)", "-f", "lavfi", "-i",
            "sine=frequency=440:duration=\(seconds)",
        ]
        let codecs =
            name.hasSuffix(".webm")
            ? ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"] : ["-pix_fmt", "yuv420p"]
        try await run(in: folder, sources + codecs + [name])
    }

    static func run(in folder: TemporaryFolder, _ arguments: [String]) async throws {
        let ending = try await ChildProcess.run(
            [try tool("ffmpeg"), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"] + arguments,
            folder: folder.path)
        guard ending.status == 0 else { throw TestSupportError("ffmpeg: \(ending.output)") }
    }
}
