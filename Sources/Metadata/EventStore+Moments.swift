public import Bytes

extension EventStore {
    /// A position behind which all kept events since `moment` stand, and few of before: it is searched by halves, not read through.
    ///
    /// Moments ascend with positions but for the differences of clocks, of gateways or of one that was set back; `margin` is the largest
    /// that is reckoned with.
    public func positionOfEvents(
        since moment: Timestamp, margin: Duration = .seconds(60)
    ) async throws(MetadataError) -> Int64 {
        let wanted = moment.milliseconds.subtractingReportingOverflow(margin.milliseconds)
        guard !wanted.overflow, let first = try await events(after: 0, limit: 1).first,
            first.moment.milliseconds < wanted.partialValue
        else { return 0 }
        // `low` is before the moment; what begins behind `high` is not, or there is none.
        var low = first.position
        var high = max(low, try await lastEvent())
        while high - low > 1 {
            let middle = low + (high - low) / 2
            guard let next = try await events(after: middle, limit: 1).first, next.position <= high else {
                high = middle
                continue
            }
            if next.moment.milliseconds < wanted.partialValue { low = next.position } else { high = middle }
        }
        return low
    }
}
