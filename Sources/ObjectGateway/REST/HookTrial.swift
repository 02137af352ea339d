import Bytes
import Hooks
import JSON
import Metadata

/// Says what an event of an object would set off, and does nothing.
extension HookAdministration {
    func dryRun(_ input: RouteInput) async throws -> JSONValue {
        let engine = jobs
        let bucket = try await bucket(input)
        let name = try Self.event(input)
        let rules: HookRules?
        if let document = input.body["configuration"], document != .null {
            do { rules = HookRules(try HookConfiguration(reading: document), revision: 0) } catch {
                throw Problem.invalid([
                    .init(
                        field: error.path.isEmpty ? "configuration" : "configuration.\(error.path)",
                        wanted: error.wanted, value: error.value)
                ])
            }
        } else {
            rules = try await engine.hooks.rules(of: bucket)
        }
        let (object, isThere) = try await object(input, in: bucket, engine)
        var hooks = rules?.configuration.hooks ?? []
        if rules?.probes(in: bucket) == true {
            let draft = rules?.draft(name, of: object, in: bucket, because: EventCause(routeOf: input.caller))
            // A probe has no condition that its description would judge.
            if draft?.hooks.contains(where: { $0.name == BuiltInHook.probe.name }) == true {
                hooks.append(BuiltInHook.probe.hook)
            }
        }
        return [
            "event": .string("s3:" + name.text), "is_there": .bool(isThere), "object": Self.describe(object),
            "hooks": .array(hooks.map { Self.describe($0, name, object, rules) }),
        ]
    }

    /// As it is stored, with what the body says in its place; an object that is not there is what the body says.
    private func object(
        _ input: RouteInput, in bucket: Bucket, _ engine: JobEngine
    ) async throws -> (FilteredObject, isThere: Bool) {
        let key = try Self.key(input)
        let latest = try await metadata.version(of: key, in: bucket.id, version: nil)
        let found = latest.flatMap { $0.isDeleteMarker ? nil : $0 }
        var object = FilteredObject(
            key: key.utf8, size: 0, contentType: nil, tags: [], userMetadata: [], customer: input.caller?.customer)
        if let found {
            object = FilteredObject(found, customer: try await engine.store.customer(ofUser: found.owner))
        }
        if let type = input.body["content_type"]?.string { object.contentType = Array(type.utf8) }
        if let size = input.body["size"]?.integer {
            guard let size = UInt64(exactly: size) else {
                throw Problem.invalid([.init(field: "size", wanted: "a number of bytes")])
            }
            object.size = size
        }
        if let customer = input.body["customer"]?.string { object.customer = customer }
        if case .object(let pairs)? = input.body["tags"] {
            object.tags = pairs.map { Tag(key: Array($0.name.utf8), value: Array(($0.value.string ?? "").utf8)) }
        }
        return (object, found != nil)
    }

    private static func describe(_ object: FilteredObject) -> JSONValue {
        [
            "key": .string(String(decoding: object.key, as: UTF8.self)),
            "size": .integer(Int64(clamping: object.size)),
            "content_type": object.contentType.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null,
            "type": .string(AssetType(contentType: object.contentType, key: object.key).name),
            "customer": object.customer.map { .string($0) } ?? .null,
            "tags": .object(
                object.tags.map {
                    .init(
                        String(decoding: $0.key, as: UTF8.self), .string(String(decoding: $0.value, as: UTF8.self)))
                }),
        ]
    }

    private static func describe(
        _ hook: Hook, _ name: EventName, _ object: FilteredObject, _ rules: HookRules?
    ) -> JSONValue {
        let reason: String? =
            if !hook.isEnabled {
                "it is disabled"
            } else if rules?.hears(hook, of: name, key: object.key) != true {
                "s3:\(name.text) is not among its events"
            } else if !hook.filter.matches(object) {
                "the object is not what when asks for"
            } else {
                nil
            }
        return [
            "name": .string(hook.name), "runs": .bool(reason == nil),
            "reason": reason.map { .string($0) } ?? .null, "queue": .string(hook.queue),
            "steps": .array(
                hook.steps.map {
                    [
                        "name": .string($0.name), "kind": .string($0.action.name),
                        "after": $0.after.map { .string($0) } ?? .null,
                    ]
                }),
            "notify": .array(hook.notify.map { .string($0) }),
        ]
    }
}
