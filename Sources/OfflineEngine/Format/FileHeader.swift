// The first 64 bytes of every numbered file.
//
//   offset size  field
//        0    8  magic: "OFFLOGF1" or "OFFTREE1"
//        8    4  format version
//       12    4  flags: bit 0 staged (a log file that counts only once a commit frame adopts it); others zero
//       16   16  store id
//       32    4  file number
//       36    4  zero
//       40    8  log: where the log before this file ended, as a location word (0: this is the first file)
//       48    4  log: the chain value there
//       52    8  log: the size in bytes that the file was made with, and has until it is cut at a clean close; else zero
//       60    4  CRC-32C of bytes 0 to 59
//
// All integers are little-endian. The header is written when the file is put to use (a prepared log file is all zeros
// until then) and never changes. A header that isn't whole is a file that was never used.
internal import OfflineBytes

/// What a numbered file says about itself.
package struct FileHeader: Equatable, Sendable {
    /// Bytes; the first frame follows.
    package static let size = 64

    package var kind: FileNames.Kind
    package var store: StoreID
    package var number: FileNumber
    package var isStaged = false
    /// Log files: the position where the log before ended; nil in the first one, in staged ones and in trees.
    package var previousEnd: LogPosition?
    /// Log files: the chain value at `previousEnd`.
    package var previousChain: UInt32 = 0
    /// Log files: bytes that the file was made with.
    package var capacity: UInt64 = 0

    package init(
        kind: FileNames.Kind, store: StoreID, number: FileNumber, isStaged: Bool = false,
        previousEnd: LogPosition? = nil, previousChain: UInt32 = 0, capacity: UInt64 = 0
    ) {
        self.kind = kind
        self.store = store
        self.number = number
        self.isStaged = isStaged
        self.previousEnd = previousEnd
        self.previousChain = previousChain
        self.capacity = capacity
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.appendLittle(
            kind == .log ? FormatVersion.logFileMagic : FormatVersion.treeFileMagic)
        bytes.appendLittle(FormatVersion.current)
        bytes.appendLittle(UInt32(isStaged ? 1 : 0))
        bytes.appendLittle(store.high)
        bytes.appendLittle(store.low)
        bytes.appendLittle(number.value)
        bytes.appendLittle(UInt32(0))
        bytes.appendLittle(previousEnd?.word ?? 0)
        bytes.appendLittle(previousChain)
        bytes.appendLittle(capacity)
        bytes.appendLittle(CRC32C.checksum(bytes))
        return bytes
    }

    /// What the first bytes of a file are.
    package enum Reading: Equatable {
        case header(FileHeader)
        /// All zeros, or fewer bytes than a header: prepared, or cut off while it was made.
        case unused
        case bad(String)
        /// A newer version wrote it.
        case unsupported(UInt32)
    }

    /// Judges the first 64 bytes (fewer if the file is shorter).
    package static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard bytes.count >= size, let base = bytes.baseAddress else {
            return .unused
        }
        if unsafe bytes.prefix(size).allSatisfy({ $0 == 0 }) { return .unused }
        let sum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<60]))
        guard unsafe base.little(60, as: UInt32.self) == sum else {
            return .bad("the file header's checksum doesn't match")
        }
        let version = unsafe base.little(8, as: UInt32.self)
        guard version == FormatVersion.current else { return .unsupported(version) }
        let kind: FileNames.Kind
        switch unsafe base.little(0, as: UInt64.self) {
        case FormatVersion.logFileMagic: kind = .log
        case FormatVersion.treeFileMagic: kind = .tree
        default: return .bad("the file header's magic number is unknown")
        }
        let flags = unsafe base.little(12, as: UInt32.self)
        guard flags & ~1 == 0 else { return .unsupported(version) }
        let end = unsafe base.little(40, as: UInt64.self)
        return .header(
            FileHeader(
                kind: kind,
                store: unsafe StoreID(
                    high: base.little(16, as: UInt64.self), low: base.little(24, as: UInt64.self)),
                number: unsafe FileNumber(base.little(32, as: UInt32.self)),
                isStaged: flags & 1 != 0,
                previousEnd: end == 0 ? nil : LogPosition(word: end),
                previousChain: unsafe base.little(48, as: UInt32.self),
                capacity: unsafe base.little(52, as: UInt64.self)))
    }
}
