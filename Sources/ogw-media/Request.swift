import MediaSteps

/// One line of JSON on standard input: a step on one file of the work folder.
struct Request: Decodable {
    enum Step: String, Decodable, CaseIterable {
        case probe, watermark, variants, preview, transcode
    }

    struct VariantsOptions: Decodable {
        let presets: [String: VariantPreset]
    }

    struct TranscodeOptions: Decodable {
        let profiles: [TranscodeStep.Profile]
    }

    enum Options {
        case probe
        case watermark(WatermarkOptions)
        case variants(VariantsOptions)
        case preview(PreviewOptions)
        case transcode(TranscodeOptions)
    }

    /// Comes back in every answer.
    let id: UInt64
    let input: String
    let options: Options
    /// Wall clock; an hour where nobody says.
    let timeout: Duration

    enum CodingKeys: String, CodingKey {
        case id, step, input, options
        case timeout_ms
    }

    static let timeoutMax = Duration.seconds(24 * 3600)

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(UInt64.self, forKey: .id)
        input = try values.decode(String.self, forKey: .input)
        let milliseconds = try values.decodeIfPresent(Int.self, forKey: .timeout_ms) ?? 3_600_000
        timeout = min(Self.timeoutMax, .milliseconds(max(1, milliseconds)))
        switch try values.decode(Step.self, forKey: .step) {
        case .probe: options = .probe
        case .watermark: options = .watermark(try values.decode(WatermarkOptions.self, forKey: .options))
        case .variants: options = .variants(try values.decode(VariantsOptions.self, forKey: .options))
        case .preview:
            options = .preview(try values.decodeIfPresent(PreviewOptions.self, forKey: .options) ?? PreviewOptions())
        case .transcode: options = .transcode(try values.decode(TranscodeOptions.self, forKey: .options))
        }
    }
}

/// The `id` of a request whose rest cannot be read.
struct RequestNumber: Decodable {
    let id: UInt64
}
