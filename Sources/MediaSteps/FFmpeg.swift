/// The arguments that every run of ffmpeg and ffprobe begins with.
enum FFmpeg {
    /// One demuxer, the one of the content's first bytes, and no protocol but files: no playlist is followed anywhere.
    static func input(_ name: String, _ type: FileType, _ context: StepContext) throws(MediaError) -> [String] {
        guard let demuxer = type.demuxer else {
            throw MediaError(
                .unsupported,
                type == .unknown
                    ? "\(name) is neither sound nor film" : "\(name) is \(type.rawValue), neither sound nor film")
        }
        return ["-protocol_whitelist", "file", "-f", demuxer, "-i", "file:\(try context.folder.path(of: name))"]
    }

    static func output(_ file: String, _ context: StepContext) throws(MediaError) -> String {
        "file:\(try context.folder.path(of: file))"
    }

    /// Quiet, asking nobody, on two threads.
    static let general = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-threads", "2"]

    /// Runs ffmpeg and tells how far it is, of `duration` seconds.
    static func run(
        _ arguments: [String], stage: String, duration: Double?, _ context: StepContext
    ) throws(MediaError) {
        var line: [UInt8] = []
        try context.programs.run(.ffmpeg, general + ["-progress", "pipe:1", "-nostats"] + arguments, context) { piece in
            for byte in piece {
                if byte != 0x0a {
                    if line.count < 200 { line.append(byte) }
                    continue
                }
                let text = String(decoding: line, as: UTF8.self)
                line = []
                if text.hasPrefix("out_time_us="), let done = Double(text.dropFirst(12)), let duration, duration > 0 {
                    context.progress(stage, done / 1e6 / duration)
                }
            }
            return true
        }
    }
}
