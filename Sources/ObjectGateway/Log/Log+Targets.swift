import Metadata
import Targets

extension Log {
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
