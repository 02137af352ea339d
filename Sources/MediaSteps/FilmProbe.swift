import FoundationEssentials

/// What ffprobe says of sound and film.
struct FilmProbe: Decodable {
    struct Stream: Decodable {
        struct Side: Decodable { let rotation: Double? }

        let codec_type: String?
        let codec_name: String?
        let width: Int?
        let height: Int?
        let sample_rate: String?
        let channels: Int?
        let avg_frame_rate: String?
        let bit_rate: String?
        let duration: String?
        let disposition: [String: Int]?
        let side_data_list: [Side]?
        let tags: [String: String]?
    }

    struct Format: Decodable {
        let duration: String?
        let bit_rate: String?
        let tags: [String: String]?
    }

    let streams: [Stream]?
    let format: Format?

    var sound: Stream? { streams?.first { $0.codec_type == "audio" } }
    /// Moving pictures; the cover of an album is none.
    var film: Stream? { streams?.first { $0.codec_type == "video" && $0.disposition?["attached_pic"] != 1 } }

    /// Seconds.
    var duration: Double? {
        let all = [format?.duration] + (streams ?? []).map(\.duration)
        return all.compactMap { $0.flatMap(Double.init) }.first { $0.isFinite && $0 >= 0 }
    }

    /// Of the film as it is seen.
    var size: (width: Int, height: Int)? {
        guard let film, let width = film.width, let height = film.height, width > 0, height > 0 else { return nil }
        let turn = film.side_data_list?.compactMap(\.rotation).first ?? 0
        let isTurned = turn.isFinite && Int(max(-1e6, min(1e6, turn))) % 180 != 0
        return isTurned ? (height, width) : (width, height)
    }

    static func read(_ name: String, _ type: FileType, _ context: StepContext) throws(MediaError) -> FilmProbe {
        guard let helper = type.helper else { throw MediaError(.unsupported, "\(name) is of no known kind") }
        if helper == .media && context.helper != .media { throw .otherClass(.media, type) }
        try context.begin("read")
        var json: [UInt8] = []
        try context.programs.run(
            .ffprobe,
            ["-v", "error", "-print_format", "json", "-show_format", "-show_streams"]
                + FFmpeg.input(name, type, context), context
        ) { piece in
            json += piece
            return json.count < 4 << 20
        }
        guard let probe = try? JSONDecoder().decode(FilmProbe.self, from: Data(json)),
            probe.sound != nil || probe.film != nil
        else { throw MediaError(.undecodable, "\(name) holds neither sound nor film") }
        if let size = probe.size {
            let (pixels, overflow) = size.width.multipliedReportingOverflow(by: size.height)
            guard !overflow, pixels <= context.limits.renderedPixelsMax else {
                throw MediaError(.limit, "\(size.width) x \(size.height) pixels are too many for a film")
            }
        }
        if let duration = probe.duration, .seconds(min(duration, 1e9)) > context.limits.durationMax {
            throw MediaError(.limit, "\(Int(min(duration, 1e9))) seconds are too long")
        }
        return probe
    }
}
