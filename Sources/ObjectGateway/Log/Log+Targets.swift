import Metadata
import Targets

extension Log {
    /// What is worth a line about events from outside.
    func report(_ problem: SourceEngine.Problem) {
        switch problem {
        case .sharing(let error): event("sources_not_shared", level: .warning, ["error": .failure(error)])
        case .failing(let source, let reason):
            event("source_failing", level: .warning, ["source": .text(source), "reason": .text(reason)])
        case .refused(let source, let count, let reason):
            event(
                "messages_refused", level: .warning,
                ["source": .text(source), "count": .integer(count), "reason": .text(reason)])
        case .unusable(let source, let reason):
            event("source_unusable", level: .error, ["source": .text(source), "reason": .text(reason)])
        }
    }

    /// What is worth a line about the delivery of events; it is tried again by itself.
    func report(_ problem: TargetEngine.Problem) {
        switch problem {
        case .reading(let target, let error):
            event("events_not_read", level: .error, ["target": .text(target), "error": .failure(error)])
        case .sharing(let error): event("targets_not_shared", level: .warning, ["error": .failure(error)])
        case .noting(let target, let error):
            event("target_not_noted", level: .warning, ["target": .text(target), "error": .failure(error)])
        case .failing(let target, let failure):
            event("target_failing", level: .warning, ["target": .text(target), "reason": .text(failure.reason)])
        case .dropped(let target, let count):
            event("events_dropped", level: .error, ["target": .text(target), "count": .integer(count)])
        case .unusable(let target, let reason):
            event("target_unusable", level: .error, ["target": .text(target), "reason": .text(reason)])
        }
    }
}
