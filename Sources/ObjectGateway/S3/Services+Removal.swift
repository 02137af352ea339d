import Buckets
import Hooks
import Metadata

/// Deletions with the events that they make. An event is about the version that was the latest, which is read before and named in
/// the request: where another came between, it is decided anew.
extension Services {
    /// So often in a row; a key that changes faster is answered as a store that is busy.
    private static let decisionsMax = 10
    private static let names: Set<EventName> = [.removedDelete, .removedMarker, .restored]

    /// As `ObjectStore.delete`.
    func delete(_ request: DeleteRequest, in bucket: Bucket, by caller: Caller) async throws -> DeleteResult {
        guard let rules = try await rules(of: bucket), rules.waits(for: Self.names, in: bucket) else {
            return try await objects.delete(request)
        }
        for _ in 0..<Self.decisionsMax {
            let decided = try await decide(request, in: bucket, by: caller, rules)
            do throws(MetadataError) {
                let result = try await objects.delete(decided)
                if decided.event != nil { jobs?.notice() }
                return result
            } catch {
                guard error == .superseded else { throw error }
            }
        }
        throw MetadataError.superseded
    }

    /// As `ObjectStore.delete`: one result for each, in their order.
    func delete(
        _ requests: [DeleteRequest], in bucket: Bucket, by caller: Caller
    ) async -> [Result<DeleteResult, any Error>] {
        var rules: HookRules?
        do { rules = try await self.rules(of: bucket) } catch { return requests.map { _ in .failure(error) } }
        guard let rules, rules.waits(for: Self.names, in: bucket) else {
            return await objects.delete(requests).map { result in result.mapError { $0 } }
        }
        var results = [Result<DeleteResult, any Error>](
            repeating: .failure(MetadataError.superseded), count: requests.count)
        var open = Array(requests.indices)
        for _ in 0..<Self.decisionsMax where !open.isEmpty {
            var decided: [(place: Int, request: DeleteRequest)] = []
            for place in open {
                do {
                    let request = try await decide(requests[place], in: bucket, by: caller, rules)
                    decided.append((place, request))
                } catch { results[place] = .failure(error) }
            }
            open = []
            for (entry, result) in zip(decided, await objects.delete(decided.map(\.request))) {
                if case .failure(.superseded) = result { open.append(entry.place) }
                results[entry.place] = result.mapError { $0 }
            }
            if decided.contains(where: { $0.request.event != nil }) { jobs?.notice() }
        }
        return results
    }

    /// The request with the event that it makes as things are now.
    private func decide(
        _ request: DeleteRequest, in bucket: Bucket, by caller: Caller, _ rules: HookRules
    ) async throws -> DeleteRequest {
        var request = request
        let latest = try await metadata.version(of: request.key, in: bucket.id, version: nil)
        request.latestSequence = latest?.sequence ?? 0
        guard let latest else { return request }
        let cause = EventCause(caller)
        if request.version == nil {
            guard !latest.isDeleteMarker else { return request }
            let name: EventName = bucket.versioning == .unversioned ? .removedDelete : .removedMarker
            request.event = rules.draft(name, of: try await filtered(latest), in: bucket, because: cause)
        } else if request.version == latest.versionID {
            if !latest.isDeleteMarker {
                request.event = rules.draft(.removedDelete, of: try await filtered(latest), in: bucket, because: cause)
            } else if rules.waits(for: [.restored], in: bucket),
                let below = try await version(below: latest, in: bucket)
            {
                request.event = rules.draft(.restored, of: try await filtered(below), in: bucket, because: cause)
            }
        }
        return request
    }

    /// The object that comes back when a delete marker goes; nil where none does.
    private func version(below marker: ObjectVersion, in bucket: Bucket) async throws -> ObjectVersion? {
        let page = try await metadata.listVersions(
            ListVersionsQuery(
                bucket: bucket.id, prefix: marker.key.utf8, delimiter: nil, keyMarker: marker.key.utf8,
                versionMarker: marker.versionID, limit: 1))
        guard let next = page.versions.first, next.key == marker.key, !next.isDeleteMarker else { return nil }
        return try await metadata.version(of: next.key, in: bucket.id, version: next.versionID)
    }
}
