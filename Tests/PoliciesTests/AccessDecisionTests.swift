import Testing

@testable import Policies

@Suite struct AccessDecisionTests {
    private func rules(
        _ policy: CompiledPolicy? = nil, acl: ACL = .owned(by: "ann"), _ ownership: ObjectOwnership = .objectWriter,
        _ publicAccess: PublicAccess = .open
    ) -> BucketRules {
        BucketRules(
            policy: policy.map(BucketRules.Policy.readable) ?? .none, acl: acl, ownership: ownership,
            publicAccess: publicAccess)
    }

    private let everything = #"{"Effect":"Allow","Action":"*","Resource":"*"}"#

    @Test func `nothing is allowed that nobody allows`() {
        #expect(Decision.decide(Scenes.request(.user("bob")), user: [], bucket: rules()) == .denied(.implicit))
        #expect(Decision.decide(Scenes.request(.anonymous), user: [], bucket: rules()) == .denied(.implicit))
        #expect(Decision.decide(Scenes.request(.root), user: [], bucket: rules()) == .allowed(.account))
    }

    @Test func `the user's policy or the bucket's suffices, and a denial in either outweighs both`() throws {
        let all = try Scenes.userPolicy(everything)
        let denyingUser = try Scenes.userPolicy(
            #"{"Sid":"no","Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b1/k"}"#)
        let open = try Scenes.bucketPolicy(Scenes.statement())
        let closed = try Scenes.bucketPolicy(Scenes.statement(), Scenes.statement("Deny"))
        let bob = Scenes.request(.user("bob"))
        #expect(Decision.decide(bob, user: [all], bucket: rules()) == .allowed(.userPolicy(statement: "Statement[0]")))
        #expect(
            Decision.decide(bob, user: [], bucket: rules(open)) == .allowed(.bucketPolicy(statement: "Statement[0]")))
        #expect(
            Decision.decide(bob, user: [all, denyingUser], bucket: rules(open)) == .denied(.userPolicy(statement: "no"))
        )
        #expect(
            Decision.decide(bob, user: [all], bucket: rules(closed))
                == .denied(.bucketPolicy(statement: "Statement[1]")))
        #expect(
            Decision.decide(Scenes.request(.root), user: [], bucket: rules(closed))
                == .denied(.bucketPolicy(statement: "Statement[1]")))
    }

    @Test func `a policy that denies everyone everything can still be read and removed by the account`() throws {
        let closed = try Scenes.bucketPolicy(Scenes.statement("Deny", action: "s3:*", resource: "arn:aws:s3:::b1"))
        for action in [Action.getBucketPolicy, .putBucketPolicy, .deleteBucketPolicy] {
            #expect(Decision.decide(Scenes.request(.root, action, key: nil), user: [], bucket: rules(closed)).isAllowed)
        }
        #expect(
            !Decision.decide(Scenes.request(.root, .getBucketAcl, key: nil), user: [], bucket: rules(closed)).isAllowed)
    }

    @Test func `a policy that cannot be read lets nobody in, but the account to mend it`() throws {
        var unreadable = rules()
        unreadable.policy = .unreadable
        let all = try Scenes.userPolicy(everything)
        #expect(
            Decision.decide(Scenes.request(.user("ann")), user: [all], bucket: unreadable) == .denied(.unreadablePolicy)
        )
        #expect(Decision.decide(Scenes.request(.root), user: [], bucket: unreadable) == .denied(.unreadablePolicy))
        #expect(
            Decision.decide(Scenes.request(.root, .deleteBucketPolicy, key: nil), user: [], bucket: unreadable)
                .isAllowed)
    }

    @Test func `a restricted bucket with a public policy is open to users only`() throws {
        let open = try Scenes.bucketPolicy(Scenes.statement())
        let restricted = rules(open, .objectWriter, .blocked)
        #expect(Decision.decide(Scenes.request(), user: [], bucket: restricted) == .denied(.restrictedPublicBucket))
        #expect(Decision.decide(Scenes.request(.user("bob")), user: [], bucket: restricted).isAllowed)
        let bound = try Scenes.bucketPolicy(
            Scenes.statement(condition: #"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#))
        let inside = Scenes.request(.anonymous, [.sourceIP: [.text(Array("10.0.0.7".utf8))]])
        #expect(Decision.decide(inside, user: [], bucket: rules(bound, .objectWriter, .blocked)).isAllowed)
    }

    @Test func `grants count where ACLs are on, public ones where they are not ignored`() {
        let publicACL = CannedACL.publicReadWrite.acl(owner: "ann", bucketOwner: "ann")
        let list = Scenes.request(.anonymous, .listBucket, key: nil)
        #expect(Decision.decide(list, user: [], bucket: rules(acl: publicACL)) == .allowed(.bucketACL))
        #expect(!Decision.decide(list, user: [], bucket: rules(acl: publicACL, .bucketOwnerEnforced)).isAllowed)
        #expect(!Decision.decide(list, user: [], bucket: rules(acl: publicACL, .objectWriter, .blocked)).isAllowed)
        #expect(Decision.decide(Scenes.request(), user: [], bucket: rules(), object: publicACL) == .allowed(.objectACL))
        #expect(!Decision.decide(Scenes.request(), user: [], bucket: rules(acl: publicACL)).isAllowed)
    }

    @Test func `who may write into a bucket may delete there only what is his own`() {
        let open = rules(acl: CannedACL.publicReadWrite.acl(owner: "ann", bucketOwner: "ann"))
        func may(_ caller: PolicyCaller, _ action: Action) -> Bool {
            Decision.decide(Scenes.request(caller, action), user: [], bucket: open, object: .owned(by: "bob")).isAllowed
        }
        #expect(may(.anonymous, .putObject) && may(.user("cid"), .putObject))
        #expect(!may(.anonymous, .deleteObject) && !may(.user("cid"), .deleteObject))
        #expect(may(.user("bob"), .deleteObject) && !may(.user("bob"), .deleteObjectVersion))
        #expect(may(.user("ann"), .deleteObject) && may(.user("ann"), .deleteObjectVersion))
    }

    @Test func `a user's own buckets are given by one policy for all users`() throws {
        let own = try Scenes.userPolicy(
            #"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"ogw:BucketOwner":"${aws:username}"}}}"#
        )
        #expect(own.keys == [.bucketOwner, .username])
        func may(_ name: String) -> Bool {
            let facts: [ConditionKey: [Fact]] = [
                .bucketOwner: [.text(Array("ann".utf8))], .username: [.text(Array(name.utf8))],
            ]
            return Decision.decide(Scenes.request(.user(name), .getObject, facts), user: [own], bucket: rules())
                .isAllowed
        }
        #expect(may("ann") && !may("bob"))
    }

    @Test func `the account named in an Allow leaves its users to their policies; in a Deny it means each of them`()
        throws
    {
        let root = #"{"AWS":"arn:aws:iam::000000000000:root"}"#
        let allowing = rules(try Scenes.bucketPolicy(Scenes.statement(principal: root)))
        #expect(!Decision.decide(Scenes.request(.user("bob")), user: [], bucket: allowing).isAllowed)
        let denying = rules(try Scenes.bucketPolicy(Scenes.statement("Deny", principal: root)))
        let all = try Scenes.userPolicy(everything)
        #expect(!Decision.decide(Scenes.request(.user("bob")), user: [all], bucket: denying).isAllowed)
    }

    @Test func `a Deny with a variable that has no value denies what it cannot tell`() throws {
        let policy = try Scenes.bucketPolicy(
            Scenes.statement(),
            Scenes.statement("Deny", condition: #"{"StringNotEquals":{"aws:Referer":"${aws:username}"}}"#))
        let request = Scenes.request(.anonymous, [.referer: [.text(Array("x".utf8))]])
        #expect(!Decision.decide(request, user: [], bucket: rules(policy)).isAllowed)
        let allowing = try Scenes.bucketPolicy(
            Scenes.statement(condition: #"{"StringNotEquals":{"aws:Referer":"${aws:username}"}}"#))
        #expect(!Decision.decide(request, user: [], bucket: rules(allowing)).isAllowed)
    }
}

extension Scenes {
    static func request(_ caller: PolicyCaller, _ facts: [ConditionKey: [Fact]]) -> PolicyRequest {
        request(caller, .getObject, facts)
    }
    static func request(_ caller: PolicyCaller, _ action: Action, _ facts: [ConditionKey: [Fact]]) -> PolicyRequest {
        request(caller, action, key: "k", facts)
    }
}

@Suite struct PublicPolicyTests {
    @Test(arguments: [
        ("{}", true), (#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#, false),
        (#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true),
        (#"{"StringLike":{"aws:SourceVpc":"vpc-1"}}"#, false),
        (#"{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#, false),
        (#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}"#, true),
        (#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","64.0.0.0/4"]}}"#, true),
        (#"{"IpAddress":{"aws:SourceIp":"2001:db8::/31"}}"#, true),
        (#"{"NotIpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#, true),
        (#"{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"}}"#, true),
        (#"{"ForAllValues:StringEquals":{"aws:SourceVpc":"vpc-1"}}"#, true),
        (#"{"StringEquals":{"aws:Referer":"https://example.com"}}"#, true),
        (#"{"StringEquals":{"aws:userid":"${aws:username}"}}"#, true),
    ])
    func `a policy for everyone is public unless a fixed value binds it`(condition: String, expected: Bool) throws {
        #expect(try Scenes.bucketPolicy(Scenes.statement(condition: condition)).isPublic == expected, "\(condition)")
    }

    @Test func `a policy for users, or one that only denies, is not public`() throws {
        let user = #"{"AWS":"arn:aws:iam::000000000000:user/ann"}"#
        #expect(try !Scenes.bucketPolicy(Scenes.statement(principal: user)).isPublic)
        #expect(try !Scenes.bucketPolicy(Scenes.statement("Deny")).isPublic)
        #expect(try Scenes.bucketPolicy(Scenes.statement(principal: user), Scenes.statement()).isPublic)
    }
}

@Suite struct ACLTests {
    @Test(arguments: CannedACL.allCases)
    func `a canned ACL gives the owner full control, and its group what its name says`(canned: CannedACL) {
        let acl = canned.acl(owner: "bob", bucketOwner: "ann")
        #expect(acl.grants.first == Grant(.user("bob"), .fullControl))
        #expect(acl.isPublic == [.publicRead, .publicReadWrite, .authenticatedRead].contains(canned))
        #expect(acl.permits(.anonymous, .read) == [.publicRead, .publicReadWrite].contains(canned))
        #expect(acl.permits(.anonymous, .write) == (canned == .publicReadWrite))
        #expect(
            acl.permits(.user("cid"), .read) == [.publicRead, .publicReadWrite, .authenticatedRead].contains(canned))
        #expect(acl.permits(.user("ann"), .writeACP) == (canned == .bucketOwnerFullControl))
    }

    @Test func `an owner without grants can still see and mend the ACL`() {
        let acl = ACL(owner: "ann", grants: [])
        #expect(
            acl.permits(.user("ann"), .readACP) && acl.permits(.user("ann"), .writeACP)
                && !acl.permits(.user("ann"), .read))
        #expect(!acl.permits(.anonymous, .readACP))
    }
}
