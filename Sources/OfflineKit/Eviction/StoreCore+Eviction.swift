// Evicting: when it is due, and how it is done, part by part.
//
// - After each commit its collections' bounds are checked, in O(log n). What is over is evicted on the queue (BackgroundQueue).
// - Ages pass without commits: each collection whose policy is an age has one deadline, for its oldest record.
// - A part waits for its collection as every writer does, so no record goes that an open transaction has touched.
internal import OfflineBytes

extension StoreCore {
    // MARK: When

    /// Checks the bounds of these collections, after a commit or at opening.
    func checkBounds(_ collections: [CollectionState]) {
        guard !options.isReadOnly, !eviction.isClosed else { return }
        let limited = collections.filter { $0.access != nil }
        guard !limited.isEmpty, let reader = try? backend.snapshot() else { return }
        let due = limited.filter { (try? isDue($0, in: reader)) ?? false }
        scheduleEviction(due.map(\.id))
    }

    private func scheduleEviction(_ due: [CollectionID]) {
        eviction.schedule(due) { [weak self] due in
            guard let self else { return }
            for collection in schema.collections where due.contains(collection.id) {
                // What fails is due again with the next commit.
                _ = try? await evictNow(collection, .bound)
            }
        }
    }

    /// Whether there is something to do that can be done.
    private func isDue(_ collection: CollectionState, in reader: any BackendReader) throws -> Bool {
        guard let trees = collection.access else { return false }
        if try AccessFill.isDue(collection, in: reader) { return true }
        let policy = collection.policy
        let adapter = StorageAdapter(reader)
        func hasVictims() throws -> Bool {
            try adapter.count(trees.inOrder, of: collection, in: .all) > 0
        }
        if let countMax = policy.countMax {
            let count = try adapter.count(TreeID(collection.id), of: collection, in: .all)
            return try count > countMax && hasVictims()
        }
        if let bytesMax = policy.bytesMax {
            let bytes = try reader.bytes(of: collection.id).recordBytes
            return try bytes > bytesMax && hasVictims()
        }
        guard let ageMax = policy.ageMax,
            let written = try Self.oldest(trees, collection, in: reader)
        else { return false }
        let now = clock.milliseconds
        if now >= ageMax, written <= now - ageMax { return true }
        arm(collection, dueAt: written.addingReportingOverflow(ageMax), now)
        return false
    }

    /// When the oldest record that may be evicted was written.
    private static func oldest(
        _ trees: AccessTrees, _ collection: CollectionState, in reader: any BackendReader
    ) throws -> UInt64? {
        var place: [UInt8] = []
        let least: [UInt8] = []
        let found = try unsafe StorageAdapter(reader).firstKey(
            trees.inOrder, of: collection, from: least.span.bytes, into: &place)
        return found ? AccessEntry.number(in: place) : nil
    }

    /// Sees to it that an age is looked at when it has passed.
    private func arm(
        _ collection: CollectionState, dueAt due: (partialValue: UInt64, overflow: Bool),
        _ now: UInt64
    ) {
        if due.overflow { return }
        let wait = Duration.milliseconds(Int64(clamping: due.partialValue &- now))
        ages.set(collection.id, due: due.partialValue, after: wait, deadlines) { [weak self] in
            self?.checkBounds([collection])
        }
    }

    // MARK: What

    /// Applies all policies; how many records were evicted.
    func evict() async throws -> Int {
        try OwnTransaction.checkNotInside(self)
        if options.isReadOnly {
            throw OfflineError(.readOnly, "the store was opened for reading only")
        }
        return try await eviction.run { [self] in
            var count = 0
            for collection in schema.collections where collection.access != nil {
                count += try await evictNow(collection, .bound).records
            }
            return count
        }
    }

    /// Evicts from one collection, part by part; with `waits`, whoever has it, else as far as nobody has. On the queue.
    func evictNow(
        _ collection: CollectionState, _ goal: EvictionGoal, waits: Bool = true
    ) async throws -> EvictionPart {
        var all = EvictionPart()
        defer {
            if all.records > 0 {
                events.tell(.evicted(collection: collection.name, records: all.records))
            }
        }
        try await fill(collection, waits: waits)
        mergeReads()
        while true {
            let part = try await evictPart(collection, goal.after(all.bytes), waits: waits)
            all.records += part.records
            all.bytes += part.bytes
            if !part.isMore { break }
        }
        // The next age, and whether anything came meanwhile.
        checkBounds([collection])
        return all
    }

    private func evictPart(
        _ collection: CollectionState, _ goal: EvictionGoal, waits: Bool
    ) async throws -> EvictionPart {
        let part = try await inEvictionBatch(collection, waits: waits) { open, trees in
            var batch = try EvictionBatch(collection, trees, open, reads)
            try batch.run(goal)
            return (batch.part, isEmpty: batch.isEmpty)
        }
        return part ?? EvictionPart()
    }

    /// Gives records that have none their access entries.
    private func fill(_ collection: CollectionState, waits: Bool) async throws {
        guard try AccessFill.isDue(collection, in: backend.snapshot()) else { return }
        var next: [UInt8]? = []
        while let key = next {
            next =
                try await inEvictionBatch(collection, waits: waits) { open, _ in
                    (try AccessFill.fill(collection, open, from: key), isEmpty: false)
                } ?? nil
        }
    }

    /// A batch of one collection that nobody waits for, without a result where there is nothing to do any more, or, without `waits`,
    /// where somebody has the collection.
    private func inEvictionBatch<Result>(
        _ collection: CollectionState, waits: Bool = true,
        _ body: (OpenBatch, AccessTrees) throws -> (Result, isEmpty: Bool)
    ) async throws -> Result? {
        let patience: Patience = waits ? .forAsLongAsItTakes : .none
        guard
            let open = try await begin(
                writing: [collection], reading: [], deletes: false, as: "an eviction", patience)
        else { return nil }
        open.batch.useReserve()
        eviction.partBegan()
        do {
            guard !eviction.isClosed, let trees = collection.access else {
                rollback(open)
                return nil
            }
            let (result, isEmpty) = try body(open, trees)
            if isEmpty {
                rollback(open)
                return result
            }
            try await commit(open, checksBounds: false)
            return result
        } catch {
            rollback(open)
            throw error
        }
    }

    // MARK: Reads

    /// Buffers of reads are emptied no more often: what taking a read in costs is more than 5 % of the read itself, so of very many
    /// in a short time a sample has to do.
    private static var mergeMilliseconds: Int { 100 }

    /// A read filled its buffer.
    func readsAreFull() {
        eviction.start(afterMilliseconds: Self.mergeMilliseconds) { [weak self] in
            guard let self, mergeReads() else { return }
            _ = try? await eviction.run { [self] in
                for collection in schema.collections { try await writeReads(collection) }
            }
        }
    }

    /// Takes all noted reads into one table; whether that is full.
    @discardableResult
    func mergeReads() -> Bool {
        let now = clock.milliseconds
        let reader = try? backend.snapshot()
        return reads.merge { id in
            guard let collection = schema.collection(id), let trees = collection.access, let reader
            else { return nil }
            return try? collection.accessTicks.next(now) {
                try StorageAdapter.greatestTick(trees, collection, in: reader)
            }
        }
    }

    /// Writes what is noted of a collection's reads to its entries.
    private func writeReads(_ collection: CollectionState) async throws {
        let noted = reads.takeAll(collection.id)
        for start in stride(from: 0, to: noted.count, by: EvictionBatch.stepsMax) {
            _ = try await inEvictionBatch(collection) { open, _ in
                let part = noted[start..<min(start + EvictionBatch.stepsMax, noted.count)]
                return (try Self.write(part, collection, open), isEmpty: false)
            }
        }
    }

    private static func write(
        _ noted: ArraySlice<(key: [UInt8], reads: ReadCounts.Reads)>,
        _ collection: CollectionState, _ open: OpenBatch
    ) throws {
        guard var writer = AccessWriter(collection, open.batch, open.scope) else { return }
        for (key, reads) in noted {
            try writer.read(key, count: reads.count, tick: reads.tick)
        }
    }

    /// Writes all that is noted of reads, for the next opening. The caller has all collections.
    func writeReadsAtClose() async {
        guard !options.isReadOnly else { return }
        mergeReads()
        for collection in schema.collections { await writeReads(ofHeld: collection) }
    }

    /// Writes what is noted of the reads of a collection that the caller has.
    func writeReads(ofHeld collection: CollectionState) async {
        let noted = reads.takeAll(collection.id)
        guard !noted.isEmpty, let trees = collection.access else { return }
        let scope = BatchScope(writing: [collection], reading: [], changes: changes)
        guard let batch = try? backend.begin([trees.collection], reading: []),
            var writer = AccessWriter(collection, batch, scope)
        else { return }
        batch.useReserve()
        do {
            for (key, reads) in noted {
                try writer.read(key, count: reads.count, tick: reads.tick)
            }
            try await batch.commit(appended: {}) { [hub] sequences in
                hub.publish(Commit(sequences: sequences, collections: [:]))
            }
        } catch {
            // The order of use is as it was written last; nothing else depends on it.
            batch.rollback()
        }
    }
}

extension EvictionGoal {
    /// What is left to do once so many bytes are freed.
    fileprivate func after(_ freed: Int64) -> EvictionGoal {
        if case .bytes(let count) = self { .bytes(count - freed) } else { self }
    }
}

/// One deadline a collection: when its oldest record is too old.
final class AgeDeadlines: Sendable {
    private let armed = Protected<[CollectionID: (token: Deadlines.Token, due: UInt64)]>([:])

    /// Calls `action` after `wait`, unless it is called before that anyway.
    func set(
        _ collection: CollectionID, due: UInt64, after wait: Duration, _ deadlines: Deadlines,
        _ action: @escaping @Sendable () -> Void
    ) {
        let isEarlier = armed.withLock { armed in
            armed[collection].map { due < $0.due } ?? true
        }
        guard isEarlier else { return }
        let token = deadlines.add(after: wait) { [weak self] in
            self?.armed.withLock { _ = $0.removeValue(forKey: collection) }
            action()
        }
        let replaced = armed.withLock { armed in
            armed.updateValue((token, due), forKey: collection)?.token
        }
        if let replaced { deadlines.remove(replaced) }
    }
}
