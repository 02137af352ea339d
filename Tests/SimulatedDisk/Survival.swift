/// Which of the changes that were never synced a power cut leaves.
///
/// Each change surviving by itself makes whole groups of them survive, or vanish, too rarely. So one of four rules is drawn
/// for each cut.
enum Survival {
    case nothing
    case everything
    /// What was done up to a moment, as on a disk that keeps the order.
    case until(Int)
    /// Each change by itself, in so many of 256 cases.
    case each(Int)

    /// `moments` spans the calls since the oldest change that is not durable.
    static func draw(_ random: inout SplitMix64, moments: ClosedRange<Int>) -> Survival {
        switch random.below(8) {
        case 0: .nothing
        case 1: .everything
        case 2, 3: .until(moments.lowerBound + random.below(moments.count))
        case 4, 5: .each(128)
        case 6: .each(16)
        default: .each(240)
        }
    }

    func survives(_ time: Int, _ random: inout SplitMix64) -> Bool {
        switch self {
        case .nothing: false
        case .everything: true
        case .until(let moment): time <= moment
        case .each(let times): random.chance(times)
        }
    }
}
