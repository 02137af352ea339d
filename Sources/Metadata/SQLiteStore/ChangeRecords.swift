/// What a fuzzer asks of the records of changes, whose types are nobody else's.
package enum ChangeRecords {
    /// Whether `record` is refused, or means the same after it was read and written again.
    package static func areReadAsWritten(_ record: [UInt8]) -> Bool {
        guard let (decision, moment) = try? Records.decision(record) else { return true }
        let written = Records.encode(decision, at: moment)
        guard let (again, sameMoment) = try? Records.decision(written) else { return false }
        return sameMoment == moment && Records.encode(again, at: sameMoment) == written
    }
}
