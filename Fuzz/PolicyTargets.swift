import Bytes
import Policies

/// A policy that is read can be judged: it compiles, and each of many requests gets an answer, the same one twice. One that is not says
/// why.
func fuzzBucketPolicy(_ input: [UInt8]) {
    for use in [PolicyDocument.Use.bucket(Array("b1".utf8)), .user] {
        do throws(PolicyFault) {
            let document = try PolicyDocument(parsing: input, for: use)
            guard let policy = CompiledPolicy(document) else {
                require(false, "read, and not compiled")
                return
            }
            judge(policy)
        } catch {
            require(!error.message.isEmpty, "a fault that says nothing")
        }
    }
}

private func judge(_ policy: CompiledPolicy) {
    var facts = Facts()
    for key in policy.keys { facts[key] = [.text(Array("a*1".utf8)), .number(1)] }
    for (caller, action) in [
        (PolicyCaller.anonymous, Action.getObject), (.user("ann"), .putObject), (.root, .listBucket),
    ] {
        for given in [facts, Facts()] {
            let request = PolicyRequest(
                caller: caller, action: action, bucket: Array("b1".utf8),
                key: action.kind == .object ? Array("k/a".utf8) : nil,
                facts: given)
            require(policy.verdict(on: request) == policy.verdict(on: request), "two verdicts")
        }
    }
}
