import CrashHistory
import Testing

/// A history is given as calls with their times; the last call of most is what was found after the restart.
@Suite struct KeyHistoryTests {
    private func call(_ start: UInt64, _ end: UInt64, _ action: Call.Action) -> Call {
        Call(start: start, end: end, action: action)
    }
    private func unknown(_ start: UInt64, _ action: Call.Action) -> Call { call(start, .max, action) }
    private func found(_ ids: EntryID...) -> Call { call(1000, 1001, .seesAll(ids.map { .write([$0]) })) }

    private func accepts(_ calls: [Call], isVersioned: Bool = false, initial: KeyState = KeyState()) -> Bool {
        verdict(calls, isVersioned: isVersioned, initial: initial) == .explained
    }
    private func verdict(
        _ calls: [Call], isVersioned: Bool = false, initial: KeyState = KeyState()
    ) -> KeyHistory.Verdict {
        KeyHistory(key: "k", isVersioned: isVersioned, initial: initial, calls: calls.shuffled()).check()
    }
    private func reason(_ calls: [Call], isVersioned: Bool = false, initial: KeyState = KeyState()) -> String {
        guard case .unexplained(let text) = verdict(calls, isVersioned: isVersioned, initial: initial) else {
            return "accepted"
        }
        return text
    }

    @Test func `A write that is read back is explained`() {
        #expect(accepts([call(1, 2, .write(7)), call(3, 4, .sees(.write(7))), found(7)]))
    }

    @Test func `A lost acknowledged write is rejected and named`() {
        #expect(reason([call(1, 2, .write(7)), found()]).contains("acknowledged write is lost (write 7)"))
    }

    @Test func `An acknowledged write that gives way to an older one is rejected`() {
        #expect(!accepts([call(1, 2, .write(7)), call(3, 4, .write(8)), found(7)]))
    }

    @Test func `A deleted object that comes back is rejected and named`() {
        let calls = [call(1, 2, .write(7)), call(3, 4, .delete(8)), found(7)]
        #expect(reason(calls).contains("came back"))
    }

    @Test func `An unknown write is wholly there or wholly absent`() {
        #expect(accepts([call(1, 2, .write(7)), unknown(3, .write(8)), found(7)]))
        #expect(accepts([call(1, 2, .write(7)), unknown(3, .write(8)), found(8)]))
        #expect(!accepts([call(1, 2, .write(7)), unknown(3, .write(8)), found()]))
    }

    @Test func `An unknown write that was seen once does not vanish`() {
        let calls = [call(1, 2, .write(7)), unknown(3, .write(8)), call(5, 6, .sees(.write(8)))]
        #expect(accepts(calls + [found(8)]))
        #expect(!accepts(calls + [found(7)]))
    }

    @Test func `A write is not seen before it begins`() {
        #expect(!accepts([call(1, 2, .sees(.write(7))), call(3, 4, .write(7)), found(7)]))
        #expect(!accepts([call(1, 2, .sees(.write(7))), unknown(3, .write(7)), found(7)]))
    }

    @Test func `A reader does not go back in time`() {
        let writes = [call(1, 2, .write(7)), call(3, 20, .write(8))]
        #expect(accepts(writes + [call(4, 5, .sees(.write(7))), call(6, 7, .sees(.write(8))), found(8)]))
        #expect(!accepts(writes + [call(4, 5, .sees(.write(8))), call(6, 7, .sees(.write(7))), found(8)]))
    }

    @Test func `Writes at once may come in either order`() {
        let writes = [call(1, 9, .write(7)), call(2, 8, .write(8))]
        #expect(accepts(writes + [found(7)]))
        #expect(accepts(writes + [found(8)]))
    }

    @Test func `A race of creates has exactly one winner`() {
        let one = call(1, 5, .write(7, ifAbsent: true))
        let two = call(2, 6, .write(8, ifAbsent: true))
        #expect(!accepts([one, two, found(8)]), "two winners")
        #expect(accepts([one, call(2, 6, .sees(.present)), found(7)]))
        #expect(!accepts([call(2, 6, .sees(.present)), found()]), "refused although nothing was there")
        #expect(accepts([unknown(1, .write(7, ifAbsent: true)), call(2, 6, .sees(.present)), found(7)]))
        #expect(
            !accepts([unknown(1, .write(7, ifAbsent: true)), call(2, 6, .sees(.present)), found()]),
            "the refusal proves that the unknown create won")
    }

    @Test func `A winner that a delete follows makes room for another`() {
        #expect(
            accepts([
                call(1, 2, .write(7, ifAbsent: true)), call(3, 4, .delete(9)), call(5, 6, .write(8, ifAbsent: true)),
                found(8),
            ]))
    }

    @Test func `A listing that shows what nobody wrote is rejected and named`() {
        #expect(reason([call(1, 2, .write(7)), found(99)]).contains("nobody wrote"))
    }

    @Test func `A listing by ETag fits any write of those bytes`() {
        let writes = [call(1, 2, .write(7)), call(3, 4, .write(8))]
        #expect(accepts(writes + [call(5, 6, .sees(.oneOf([8, 9])))]))
        #expect(!accepts(writes + [call(5, 6, .sees(.oneOf([7, 9])))]))
    }

    @Test func `Tags belong to the write that they were put on`() {
        let calls = [call(1, 2, .write(7)), call(3, 4, .tag(20))]
        #expect(accepts(calls + [call(5, 6, .seesTag(20)), found(7)]))
        #expect(!accepts(calls + [call(5, 6, .seesTag(7)), found(7)]), "an acknowledged tag set is lost")
        #expect(!accepts(calls + [call(5, 6, .write(8)), call(7, 8, .seesTag(20))]), "tags of the write before")
        #expect(!accepts([call(1, 2, .tag(20)), found()]), "tags of nothing")
    }

    @Test func `Versions stay in their order and none is lost`() {
        let calls = [call(1, 2, .write(7)), call(3, 4, .write(8)), call(5, 6, .delete(9))]
        func all(_ lines: Call.Listed...) -> Call { call(1000, 1001, .seesAll(lines)) }
        #expect(accepts(calls + [all(.marker([9]), .write([8]), .write([7]))], isVersioned: true))
        #expect(!accepts(calls + [all(.marker([9]), .write([7]), .write([8]))], isVersioned: true), "order")
        #expect(!accepts(calls + [all(.marker([9]), .write([8]))], isVersioned: true), "a version is lost")
        #expect(!accepts(calls + [all(.write([8]), .write([7]))], isVersioned: true), "the marker is lost")
        #expect(!accepts(calls + [call(7, 8, .seesVersion(7, isThere: false))], isVersioned: true))
    }

    @Test func `A removed version stays removed, and the one below it is the latest`() {
        let calls = [call(1, 2, .write(7)), call(3, 4, .write(8)), call(5, 6, .remove(8))]
        #expect(accepts(calls + [call(7, 8, .sees(.write(7))), found(7)], isVersioned: true))
        let back = calls + [found(8, 7)]
        #expect(reason(back, isVersioned: true).contains("removed version came back"))
    }

    @Test func `What is there at the beginning counts`() {
        let initial = KeyState([KeyState.Entry(id: 5)])
        #expect(accepts([found(5)], initial: initial))
        #expect(!accepts([found()], initial: initial))
        #expect(!accepts([call(1, 2, .write(6, ifAbsent: true))], initial: initial))
    }

    /// Serial histories of random operations are right by construction; with one answer changed they are wrong.
    @Test func `Long random histories are decided`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = Numbers(state: seed)
        for _ in 0..<40 {
            var calls: [Call] = []
            var latest: EntryID?
            for step in 0..<400 {
                // Each call overlaps the next few, while its effect comes in the order of the steps.
                let middle = UInt64(step) * 10 + 100
                let (start, end) = (middle - random.next() % 30, middle + random.next() % 30)
                switch random.next() % 4 {
                case 0:
                    calls.append(call(start, end, .write(step)))
                    latest = step
                case 1:
                    calls.append(call(start, end, .delete(step)))
                    latest = nil
                default: calls.append(call(start, end, .sees(latest.map { .write($0) } ?? .absent)))
                }
            }
            let end = call(9000, 9001, .sees(latest.map { .write($0) } ?? .absent))
            #expect(accepts(calls + [end]), "seed \(seed)")
            #expect(!accepts(calls + [call(9000, 9001, .sees(.write(5000)))]), "seed \(seed)")
        }
    }

    private struct Numbers {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
