import Metadata

/// A hook that no document of a bucket names. Its name begins with a sign that no other hook's name has.
public enum BuiltInHook: Sendable, Equatable {
    /// Tells what each new version of an asset is.
    case probe
    /// Makes the picture that a reader asked for by the name of a preset.
    case variant(String)

    private static let probeName = "@probe"
    private static let variantPrefix = "@variant/"
    /// What stands in the keys of variants that were made on demand where those of a hook have its step.
    public static let variantStep = "@variant"

    public init?(_ name: String) {
        if name == Self.probeName {
            self = .probe
        } else if name.hasPrefix(Self.variantPrefix) {
            self = .variant(String(name.dropFirst(Self.variantPrefix.count)))
        } else {
            return nil
        }
    }

    public var name: String {
        switch self {
        case .probe: Self.probeName
        case .variant(let preset): Self.variantPrefix + preset
        }
    }

    public var hook: Hook {
        switch self {
        case .probe:
            var step = Step("probe", .probe, timeout: .seconds(600))
            step.retry.attempts = 3
            var hook = Hook(name: name, events: Self.probeEvents, steps: [step])
            // What people made hooks for goes first.
            hook.priority = -1
            return hook
        case .variant(let preset):
            var step = Step(preset, .variants([preset]), timeout: .seconds(120))
            step.retry.attempts = 3
            step.retry.base = .seconds(1)
            var hook = Hook(name: name, events: [], steps: [step])
            // Somebody waits for it.
            hook.priority = 100
            hook.output = .onDemand
            return hook
        }
    }

    // MARK: Probe

    static let probeEvents = EventSelector.created.union([.restored])
    /// A probe reads the whole file: nothing is told of larger ones.
    private static let sizeMax: UInt64 = 4 << 30
    /// Nor of documents that are larger than any that is opened.
    private static let documentSizeMax: UInt64 = 128 << 20

    /// Whether there can be something to tell of such an object.
    static func probes(_ object: FilteredObject) -> Bool {
        let isDocument = AssetType(contentType: object.contentType, key: object.key) == .document
        return object.size > 0 && object.size <= (isDocument ? documentSizeMax : sizeMax)
    }
}

extension Step {
    fileprivate init(_ name: String, _ action: StepAction, timeout: Duration) {
        (self.name, self.action, self.timeout) = (name, action, timeout)
        (after, retry) = (nil, RetryPolicy())
    }
}

extension Hook {
    fileprivate init(name: String, events: Set<EventName>, steps: [Step]) {
        (self.name, self.events, self.steps) = (name, events, steps)
    }
}

extension OutputPlace {
    /// Of variants that were made on demand.
    fileprivate static var onDemand: OutputPlace {
        var place = OutputPlace()
        place.pattern = "{bucket}/{key}/{version}/\(BuiltInHook.variantStep)/{name}"
        return place
    }
}
