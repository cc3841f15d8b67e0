// Bulk insert, single commits, deletes. Which people they store and delete follows from the counts alone.

struct WriteWorkloads {
    let dataset: Dataset
    let scale: Double

    private static let sliceCount = 10
    private static let bulkBatch = 1000
    private static let deleteBatch = 100

    /// Durable commits a slice.
    private var commitsASlice: Int { scale.times(50) }
    private var relaxedCommitsASlice: Int { scale.times(500) }
    /// Deleted batches a slice; a quarter of the bulk at most goes.
    private var deletesASlice: Int {
        let most = dataset.count / 4 / WriteWorkloads.deleteBatch / WriteWorkloads.sliceCount
        return min(scale.times(5), most)
    }

    var bulk: Workload {
        let batches = stride(from: 0, to: dataset.count, by: WriteWorkloads.bulkBatch).map {
            $0..<min($0 + WriteWorkloads.bulkBatch, dataset.count)
        }
        let sliceCount = (batches.count + 9) / 10
        return Workload(
            id: "bulk", title: "bulk insert, 1,000 a batch, durable, 3 indexes", writes: true,
            sliceCount: sliceCount, inserted: 0..<dataset.count
        ) { slice in
            let mine = batches[(slice * 10)..<min(slice * 10 + 10, batches.count)]
            let people = mine.map { $0.map(dataset.person) }
            return Slice(operations: people.reduce(0) { $0 + $1.count }) { store in
                for batch in people { try await store.insertBatch(batch) }
                return Digest()
            }
        }
    }

    var commit: Workload {
        let first = dataset.count
        return Workload(
            id: "commit", title: "single commit, durable", writes: true, hasFlushFloor: true,
            sliceCount: WriteWorkloads.sliceCount,
            inserted: first..<(first + commitsASlice * WriteWorkloads.sliceCount)
        ) { slice in single(commitsASlice, from: first + slice * commitsASlice) }
    }

    var relaxedCommit: Workload {
        let first = dataset.count + commitsASlice * WriteWorkloads.sliceCount
        return Workload(
            id: "commit-relaxed", title: "single commit, relaxed", durability: .relaxed,
            writes: true,
            sliceCount: WriteWorkloads.sliceCount,
            inserted: first..<(first + relaxedCommitsASlice * WriteWorkloads.sliceCount)
        ) { slice in single(relaxedCommitsASlice, from: first + slice * relaxedCommitsASlice) }
    }

    var delete: Workload {
        // Neighbours by number are strangers by key: keys are mixed.
        let first = dataset.count / 2
        let batch = WriteWorkloads.deleteBatch
        let slices = deletesASlice == 0 ? 0 : WriteWorkloads.sliceCount
        return Workload(
            id: "delete", title: "delete, 100 a batch, durable", writes: true, sliceCount: slices,
            deleted: first..<(first + slices * deletesASlice * batch)
        ) { slice in
            let keys = (0..<deletesASlice).map { position in
                let start = first + (slice * deletesASlice + position) * batch
                return (start..<(start + batch)).map(dataset.key)
            }
            return Slice(operations: deletesASlice * batch) { store in
                for batch in keys { try await store.deleteBatch(batch) }
                return Digest()
            }
        }
    }

    private func single(_ amount: Int, from first: Int) -> Slice {
        let people = (first..<(first + amount)).map(dataset.person)
        return Slice(operations: amount) { store in
            try await store.insertEach(people)
            return Digest()
        }
    }
}
