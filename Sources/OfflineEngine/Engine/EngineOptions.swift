// How an engine behaves, and the bounds that trade speed against space.

/// When a commit is on stable storage.
package enum CommitDurability: Sendable, Equatable {
    /// Before commit returns.
    case full
    /// Within the interval.
    case periodic(Duration)
    /// Whenever the system writes back.
    case relaxed
}

/// What an engine is opened with.
package struct EngineOptions: Sendable {
    // Behaviour.
    package var durability: CommitDurability = .full
    package var isReadOnly = false
    /// Bytes on disk; nil: unlimited. At least `Limits.sizeLimitMin`.
    package var sizeLimit: Int64?

    // Performance.
    /// A checkpoint is due after so many logged operations: it bounds the work of an open after a crash.
    package var checkpointOperations = 50_000
    /// A checkpoint is due when changed nodes hold so many bytes.
    package var checkpointNodeBytes = 64 << 20
    /// Changed nodes take so many bytes of the system's memory at most; a change beyond is refused as where the system
    /// has none.
    package var nodeBytesMax = Int.max
    /// A transaction with more bytes than this is staged in files of its own.
    package var stagedTransactionBytes = 4 << 20
    /// A staged transaction, or the build of an index, writes its nodes out when they hold so many bytes.
    package var stagedNodeBytes = 32 << 20
    /// A new index is sorted with so many bytes in memory; what is more is sorted in a file.
    package var indexSortBytes = 32 << 20
    /// The least size of a log file, in bytes; lower in tests only.
    package var logFileBytesMin = 64 << 10
    /// Checkpoints by themselves when one is due; off in tests that want to say when.
    package var automaticCheckpoints = true
    /// Compacts by itself where it is due; off where the user said so, and in tests that want to say when.
    package var automaticCompaction = true
    /// Makes the next log file ready in the background; off in tests that want the same files in every run.
    package var preparesLogFiles = true

    package init() {}

    /// The same for a store with a size limit, of which nodes in memory are a part.
    var nodeBytesBeforeCheckpoint: Int {
        guard let limit = sizeLimit else { return checkpointNodeBytes }
        return min(checkpointNodeBytes, max(Int(clamping: limit / 16), 256 << 10))
    }
}
