// What is measured, as a value: slices of work that every store does in turn.

/// One workload. Its slices go round all stores, so that what the machine does meanwhile meets all of them.
struct Workload {
    /// What `--only` names.
    let id: String
    let title: String
    var durability = CommitDurability.full
    /// What runs in the background after a slice of writes is waited for, and counts as the writer's processor time.
    var writes = false
    /// One flush of 4 KiB an operation is measured beside it.
    var hasFlushFloor = false
    let sliceCount: Int
    /// The numbers of the people it stores and deletes, all slices together.
    var inserted: Range<Int> = 0..<0
    var deleted: Range<Int> = 0..<0
    /// Makes a slice, its input included: making it is not measured.
    let slice: (Int) -> Slice
}

/// Work that is timed in one piece.
struct Slice {
    let operations: Int
    let run: (any Candidate) async throws -> Digest
}

extension Workload {
    /// All workloads, in the order in which they run; the first one fills the stores.
    static func all(_ dataset: Dataset, scale: Double) -> [Workload] {
        let reads = ReadWorkloads(dataset: dataset, scale: scale)
        let writes = WriteWorkloads(dataset: dataset, scale: scale)
        return [
            writes.bulk, reads.twoFields, reads.allFields, reads.range, reads.count, reads.page,
            reads.filter, reads.scan, writes.commit, writes.delete, writes.relaxedCommit,
        ]
    }
}

extension Double {
    /// This many times `amount`, at least one.
    func times(_ amount: Int) -> Int { Swift.max(1, Int((Double(amount) * self).rounded())) }
}
