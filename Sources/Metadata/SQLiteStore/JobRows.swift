import Bytes
import SQLite

extension Rows {
    // MARK: Hooks

    /// The present revision of a bucket's hooks; nil where it never had any.
    func hooks(of bucket: BucketID) throws(MetadataError) -> (revision: Int64, document: [UInt8])? {
        try connection.with(
            "SELECT revision, document FROM hooks WHERE bucket = ?1 ORDER BY revision DESC LIMIT 1"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            return try row.next() ? (row.int64(0), row.bytes(1)) : nil
        }
    }

    func hooks(of bucket: BucketID, revision: Int64) throws(MetadataError) -> [UInt8]? {
        try connection.with(
            "SELECT document FROM hooks WHERE bucket = ?1 AND revision = ?2"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(revision, at: 2)
            return try row.next() ? row.bytes(0) : nil
        }
    }

    func hookRevisions() throws(MetadataError) -> [BucketID: Int64] {
        try connection.with("SELECT bucket, max(revision) FROM hooks GROUP BY bucket") {
            (row) throws(MetadataError) in
            var found: [BucketID: Int64] = [:]
            while try row.next() { found[BucketID(row.int64(0))] = row.int64(1) }
            return found
        }
    }

    // MARK: Events

    /// In order, those after `position`.
    func events(after position: Int64, limit: Int) throws(MetadataError) -> [ObjectEvent] {
        try connection.with(
            "SELECT record FROM events WHERE position > ?1 ORDER BY position LIMIT ?2"
        ) { (row) throws(MetadataError) in
            row.bind(position, at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [ObjectEvent] = []
            while try row.next() { found.append(try Records.event(row.bytes(0))) }
            return found
        }
    }

    /// 0 where none is kept.
    func lastEvent() throws(MetadataError) -> Int64 {
        try connection.with("SELECT max(position) FROM events") { (row) throws(MetadataError) in
            try row.next() ? row.optionalInt64(0) ?? 0 : 0
        }
    }

    /// The last event whose jobs were made.
    func plannedEvents() throws(MetadataError) -> Int64 {
        try connection.with("SELECT planned FROM job_state") { (row) throws(MetadataError) in
            try row.next() ? row.int64(0) : 0
        }
    }

    /// The last event that may be forgotten: it is before `moment`, its jobs were made, and no target needs it.
    func lastEvent(before moment: Timestamp) throws(MetadataError) -> Int64? {
        try connection.with(
            """
            SELECT max(position) FROM (
                SELECT position FROM events
                WHERE moment < ?1 AND position <= (SELECT planned FROM job_state)
                    AND position <= (SELECT coalesce(min(position), 0x7FFFFFFFFFFFFFFF) FROM targets) ORDER BY position LIMIT ?2)
            """
        ) { (row) throws(MetadataError) in
            row.bind(moment.milliseconds, at: 1)
            row.bind(Int64(1000), at: 2)
            return try row.next() ? row.optionalInt64(0) : nil
        }
    }

    // MARK: Groups

    func jobGroup(_ id: JobID) throws(MetadataError) -> JobGroup? {
        try connection.with("SELECT record FROM job_groups WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(id.bytes, at: 1)
            return try row.next() ? try Records.jobGroup(row.bytes(0)) : nil
        }
    }

    /// Newest first, those before `before`.
    func jobGroups(before: JobID?, limit: Int) throws(MetadataError) -> [JobGroup] {
        try connection.with(
            "SELECT record FROM job_groups WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
        ) { (row) throws(MetadataError) in
            row.bind(before?.bytes ?? [UInt8](repeating: 0xFF, count: 17), at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [JobGroup] = []
            while try row.next() { found.append(try Records.jobGroup(row.bytes(0))) }
            return found
        }
    }

    /// Newest first.
    func jobGroups(of key: ObjectKey, in bucket: BucketID, limit: Int) throws(MetadataError) -> [JobGroup] {
        try connection.with(
            "SELECT record FROM job_groups WHERE bucket = ?1 AND key = ?2 ORDER BY id DESC LIMIT ?3"
        ) { (row) throws(MetadataError) in
            row.bind(bucket.value, at: 1)
            row.bind(key.utf8, at: 2)
            row.bind(Int64(max(0, limit)), at: 3)
            var found: [JobGroup] = []
            while try row.next() { found.append(try Records.jobGroup(row.bytes(0))) }
            return found
        }
    }

    /// Those of a unique hook and an object that have not ended, in the order of their ids.
    func openGroups(_ uniqueness: [UInt8]) throws(MetadataError) -> [JobGroup] {
        try connection.with(
            "SELECT record FROM job_groups INDEXED BY job_groups_unique WHERE uniqueness = ?1 ORDER BY id"
        ) { (row) throws(MetadataError) in
            row.bind(uniqueness, at: 1)
            var found: [JobGroup] = []
            while try row.next() { found.append(try Records.jobGroup(row.bytes(0))) }
            return found
        }
    }

    func endedGroups(before moment: Timestamp, limit: Int) throws(MetadataError) -> [JobID] {
        try connection.with(
            "SELECT id FROM job_groups WHERE ended < ?1 ORDER BY ended LIMIT ?2"
        ) { (row) throws(MetadataError) in
            row.bind(moment.milliseconds, at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            var found: [JobID] = []
            while try row.next() {
                guard let id = JobID(bytes: row.bytes(0)) else {
                    throw MetadataError.broken("job_groups: a malformed id")
                }
                found.append(id)
            }
            return found
        }
    }

    // MARK: Jobs

    func job(_ id: JobID) throws(MetadataError) -> Job? {
        try connection.with("SELECT record FROM jobs WHERE id = ?1") { (row) throws(MetadataError) in
            row.bind(id.bytes, at: 1)
            return try row.next() ? try Records.job(row.bytes(0)) : nil
        }
    }

    func jobs(of group: JobID) throws(MetadataError) -> [Job] {
        try connection.with("SELECT record FROM jobs WHERE job_group = ?1 ORDER BY id") { (row) throws(MetadataError) in
            row.bind(group.bytes, at: 1)
            return try Self.jobs(at: row)
        }
    }

    /// Those of one state in the order of their ids: leased ones and dead ones only.
    func jobs(held state: JobState, after: JobID?, limit: Int) throws(MetadataError) -> [Job] {
        try connection.with(
            "SELECT record FROM jobs INDEXED BY jobs_held WHERE state IN (1, 4) AND state = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
        ) { (row) throws(MetadataError) in
            row.bind(Int64(state.rawValue), at: 1)
            row.bind(after?.bytes ?? [], at: 2)
            row.bind(Int64(max(0, limit)), at: 3)
            return try Self.jobs(at: row)
        }
    }

    /// Waiting jobs whose time has come, the longest due first.
    func jobs(dueBy moment: Timestamp, limit: Int) throws(MetadataError) -> [Job] {
        try connection.with(
            "SELECT record FROM jobs WHERE state = 2 AND due <= ?1 ORDER BY due LIMIT ?2"
        ) { (row) throws(MetadataError) in
            row.bind(moment.milliseconds, at: 1)
            row.bind(Int64(max(0, limit)), at: 2)
            return try Self.jobs(at: row)
        }
    }

    /// When the next waiting job becomes available.
    func nextDue() throws(MetadataError) -> Timestamp? {
        try connection.with("SELECT min(due) FROM jobs WHERE state = 2") { (row) throws(MetadataError) in
            try row.next() ? row.optionalInt64(0).map { Timestamp(milliseconds: $0) } : nil
        }
    }

    /// The lanes of a queue in which jobs are ready: one seek for each.
    func readyLanes(of queue: String, limit: Int) throws(MetadataError) -> [[UInt8]] {
        try connection.with(
            "SELECT lane FROM jobs INDEXED BY jobs_ready WHERE state = 0 AND queue = ?1 AND lane > ?2 ORDER BY lane LIMIT 1"
        ) { (row) throws(MetadataError) in
            var lanes: [[UInt8]] = []
            while lanes.count < limit {
                row.bind(queue, at: 1)
                row.bind(lanes.last ?? [], at: 2)
                guard try row.next() else { break }
                lanes.append(row.bytes(0))
                row.restart()
            }
            return lanes
        }
    }

    /// In order of rank.
    func readyJobs(of queue: String, lane: [UInt8], limit: Int) throws(MetadataError) -> [Job] {
        try connection.with(
            """
            SELECT record FROM jobs INDEXED BY jobs_ready WHERE state = 0 AND queue = ?1 AND lane = ?2
            ORDER BY rank, id LIMIT ?3
            """
        ) { (row) throws(MetadataError) in
            row.bind(queue, at: 1)
            row.bind(lane, at: 2)
            row.bind(Int64(max(0, limit)), at: 3)
            return try Self.jobs(at: row)
        }
    }

    /// How many jobs of each queue are ready, up to `limit` of each.
    func readyCounts(limit: Int) throws(MetadataError) -> [String: Int] {
        try connection.with(
            "SELECT queue, count(*) FROM (SELECT queue FROM jobs WHERE state = 0 LIMIT ?1) GROUP BY queue"
        ) { (row) throws(MetadataError) in
            row.bind(Int64(max(0, limit)), at: 1)
            var counts: [String: Int] = [:]
            while try row.next() { counts[row.text(0)] = Int(clamping: row.int64(1)) }
            return counts
        }
    }

    private static func jobs(at row: Statement) throws(MetadataError) -> [Job] {
        var found: [Job] = []
        while try row.next() { found.append(try Records.job(row.bytes(0))) }
        return found
    }
}

extension Connection {
    func put(_ event: ObjectEvent) throws(SQLiteError) {
        try write("INSERT OR REPLACE INTO events VALUES (?1, ?2, ?3)") {
            $0.bind(event.position, at: 1)
            $0.bind(event.moment.milliseconds, at: 2)
            $0.bind(Records.encode(event), at: 3)
        }
    }

    func put(_ group: JobGroup) throws(SQLiteError) {
        try write(
            """
            INSERT INTO job_groups VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (id) DO UPDATE SET bucket = ?2, key = ?3, ended = ?4, record = ?5, uniqueness = ?6
            """
        ) {
            $0.bind(group.id.bytes, at: 1)
            $0.bind(group.event.bucket.value, at: 2)
            $0.bind(group.event.key.utf8, at: 3)
            $0.bind(group.ended?.milliseconds, at: 4)
            $0.bind(Records.encode(group), at: 5)
            $0.bind(group.uniqueness, at: 6)
        }
    }

    func put(_ job: Job) throws(SQLiteError) {
        try write(
            """
            INSERT INTO jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (id) DO UPDATE SET
                job_group = ?2, state = ?3, queue = ?4, lane = ?5, rank = ?6, due = ?7, record = ?8
            """
        ) {
            $0.bind(job.id.bytes, at: 1)
            $0.bind(job.group.bytes, at: 2)
            $0.bind(Int64(job.state.rawValue), at: 3)
            $0.bind(job.queue, at: 4)
            $0.bind(job.lane, at: 5)
            $0.bind(job.rank, at: 6)
            $0.bind(job.due?.milliseconds, at: 7)
            $0.bind(Records.encode(job), at: 8)
        }
    }

    func forgetHistory(eventsThrough last: Int64, groups: [JobID]) throws(SQLiteError) {
        try write("DELETE FROM events WHERE position <= ?1") { $0.bind(last, at: 1) }
        for group in groups {
            try write("DELETE FROM jobs WHERE job_group = ?1") { $0.bind(group.bytes, at: 1) }
            try write("DELETE FROM job_groups WHERE id = ?1") { $0.bind(group.bytes, at: 1) }
        }
    }
}
