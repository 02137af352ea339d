import Addons
import Bytes
import Hooks
import JSON
import Metadata
import Targets

/// What is done with the hooks of a bucket: they are read, set, tried out, and run for what is there already.
struct HookAdministration: Sendable {
    let jobs: JobEngine
    let targets: TargetEngine
    let addons: AddonRegister
    let metadata: any MetadataStore

    // MARK: Configuration

    func get(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let bucket = try await bucket(input)
        let found = try await engine.store.hooks(of: bucket.id)
        let document = found.flatMap { $0.document.isEmpty ? nil : JSONValue(parsing: $0.document) }
        return [
            "bucket": .string(bucket.name.description), "revision": .integer(found?.revision ?? 0),
            "configuration": document ?? ["hooks": []],
            "built_in": .array(
                bucket.hasAssets
                    ? [
                        [
                            "name": .string(BuiltInHook.probe.name),
                            "enabled": .bool(try await engine.hooks.rules(of: bucket)?.probes(in: bucket) ?? false),
                        ]
                    ] : []),
        ]
    }

    /// Bindings of the notification configuration stay where the body has none. Throws 422 with all that is wrong, and 409 where the
    /// query's `revision` is not the present one.
    func set(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let bucket = try await bucket(input)
        let wanted = try Self.revision(input)
        // The notification configuration may change between.
        for _ in 0..<10 {
            let present = try await engine.store.hooks(of: bucket.id)
            let document = Self.keepingBindings(of: present?.document ?? [], in: input.body)
            let faults = HookFaults.all(in: document, within: try await surroundings(of: bucket))
            guard faults.isEmpty else { throw Self.problem(faults) }
            let configuration: HookConfiguration
            do { configuration = try HookConfiguration(parsing: document.text) } catch { throw Self.problem([error]) }
            do throws(MetadataError) {
                let revision = try await engine.setHooks(
                    configuration, document: document.text, of: bucket.id,
                    ifRevision: wanted ?? present?.revision ?? 0)
                return ["bucket": .string(bucket.name.description), "revision": .integer(revision)]
            } catch .superseded {
                if wanted != nil { throw Self.stale(bucket) }
            } catch { throw error }
        }
        throw MetadataError.superseded
    }

    private static func keepingBindings(of present: [UInt8], in document: JSONValue) -> JSONValue {
        guard case .object(let members) = document, document["bindings"] == nil,
            let bindings = JSONValue(parsing: present)?["bindings"]
        else { return document }
        return .object(members + [.init("bindings", bindings)])
    }

    func remove(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let bucket = try await bucket(input)
        let former = try Self.revision(input)
        do throws(MetadataError) {
            let revision = try await engine.setHooks(nil, document: [], of: bucket.id, ifRevision: former)
            return ["bucket": .string(bucket.name.description), "revision": .integer(revision)]
        } catch .superseded {
            throw Self.stale(bucket)
        } catch { throw error }
    }

    /// The query's, nil where it has none.
    private static func revision(_ input: RouteInput) throws(Problem) -> Int64? {
        guard let text = input.query["revision"] else { return nil }
        guard let number = Ascii.decimal(text).flatMap({ Int64(exactly: $0) }) else {
            throw .invalid([.init(field: "revision", wanted: "the revision that is to be replaced")])
        }
        return number
    }

    private static func stale(_ bucket: Bucket) -> Problem {
        Problem(409, "Conflict", "The hooks of \(bucket.name) are of another revision; read them again.")
    }

    func validate(_ input: RouteInput) async throws -> JSONValue {
        let bucket = try await bucket(input)
        var faults = HookFaults.all(in: input.body, within: try await surroundings(of: bucket))
        if faults.isEmpty, input.body.text.count > HookConfiguration.sizeMax {
            faults = [JSONFault(path: "", wanted: "at most \(HookConfiguration.sizeMax >> 10) KiB")]
        }
        return ["valid": .bool(faults.isEmpty), "faults": .array(faults.map(Self.value))]
    }

    private func surroundings(of bucket: Bucket) async throws -> HookConfiguration.Surroundings {
        let targets = try await targets.names()
        let addons = try await addons.all()
        return HookConfiguration.Surroundings(
            bucket: bucket.name, addons: Set(addons.map(\.name)), targets: Set(targets.map(\.description)))
    }

    static func problem(_ faults: [JSONFault]) -> Problem {
        .invalid(faults.map { .init(field: $0.path, wanted: $0.wanted, value: $0.value) })
    }

    private static func value(_ fault: JSONFault) -> JSONValue {
        [
            "path": .string(fault.path), "value": fault.value.map { .string($0) } ?? .null,
            "wanted": .string(fault.wanted),
        ]
    }

    // MARK: What the others share

    func bucket(_ input: RouteInput) async throws -> Bucket {
        let text = input.parameter("bucket")
        guard let name = BucketName(text.utf8) else {
            throw Problem.invalid([.init(field: "bucket", wanted: Administration.bucketNameRule, value: text)])
        }
        guard let bucket = try await metadata.bucket(named: name) else {
            throw Problem(404, "Not found", "There is no bucket \(text).")
        }
        return bucket
    }

    /// The body's `event`, or `object.created`: the first S3 event that the word stands for.
    static func event(_ input: RouteInput) throws(Problem) -> EventName {
        let word = input.body["event"]?.string ?? "object.created"
        let found = EventSelector.events(of: word) ?? []
        guard let name = EventName.allCases.first(where: found.contains) else {
            throw .invalid([.init(field: "event", wanted: EventSelector.wanted, value: word)])
        }
        return name
    }

    static func key(_ input: RouteInput) throws(Problem) -> ObjectKey {
        guard let key = ObjectKey((input.body["key"]?.string ?? "").utf8) else {
            throw .invalid([.init(field: "key", wanted: "1 to 1024 bytes")])
        }
        return key
    }
}

extension EventCause {
    /// `caller` is nil for the owner of the store.
    init(routeOf caller: Caller?) { self.init(principal: caller?.name ?? UserDirectory.rootName) }
}
