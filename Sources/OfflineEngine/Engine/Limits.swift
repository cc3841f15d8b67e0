// Every bound of the engine, with its reason.

/// Bounds of the format and of what the engine accepts.
package enum Limits {
    /// Bytes of a tree key: two of them and a new one must fit a 4 KiB node. An index key is an index value of at most
    /// 512 bytes, cut beyond that, and a record key of at most 1,024.
    package static let keyBytesMax = 1_600
    /// Bytes of a record: 16 MiB of document, and room for what encodes it.
    package static let recordBytesMax = (16 << 20) + (64 << 10)
    /// A record up to this many bytes isn't deflated by its commit: each deflating takes 20 us or more, each reading 6, and a
    /// kilobyte takes one block of a disk whether it shrinks or not.
    package static let plainRecordBytesMax = 1 << 10
    /// Bytes of a log file: a location reaches further, but a file is what compaction moves at a time.
    package static let logFileBytesMax = 64 << 20
    /// The share of the size limit that one log file may be: active file, next file and reserve must fit beside data.
    package static let logFileShareOfSizeLimit: Int64 = 32
    /// The share of the live bytes that one log file may be: small stores stay small.
    package static let logFileShareOfLiveBytes: Int64 = 16
    package static let sizeLimitMin: Int64 = 1 << 20
    /// Collections of a store: ids index an array.
    package static let collectionIDMax: UInt32 = 1 << 20
    /// File numbers are below this; they are given out one by one, so none comes near it.
    static let fileNumberMax = UInt32.max - 1 << 20
    /// Sequences from disk are at most this, so that those of any log behind them don't overflow.
    static let sequenceMax = UInt64.max >> 1
}
