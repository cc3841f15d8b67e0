// The superblock: where everything begins. Two 4 KiB slots in one file, written in turn; the valid one with the greater
// generation counts.
//
//   offset size  field of a slot
//        0    8  magic "OFFSUPR1"
//        8    4  format version
//       12    4  feature flags (none yet; an unknown one is refused)
//       16   16  store id
//       32    8  generation; it lives in slot generation mod 2
//       40    8  location of the catalog frame (in a node segment)
//       48    8  replay position: the log from here on isn't in the catalog's trees yet
//       56    4  chain value there
//       60    4  1: the store was closed cleanly, and the log ends at the replay position
//       64    8  durable sequence: the next operation's number at the replay position, as in the catalog
//       72       zeros
//     4092    4  CRC-32C of bytes 0 to 4091
//
// Invariants: what a superblock names was synced, and its names too, before the superblock was written; the slot that
// counts is never overwritten, but by an opening for writing with the bytes that it has, to make sure of them.
internal import OfflineBytes

/// One slot's content.
package struct Superblock: Equatable, Sendable {
    package static let slotSize = 4096
    package static let fileSize = 2 * slotSize
    /// A new store begins with these generations, 1 and 2.
    static let firstGenerations: UInt64 = 2

    package var store: StoreID
    package var generation: UInt64
    package var catalog: LogPosition
    package var replayPosition: LogPosition
    package var replayChain: UInt32
    package var isCleanClose: Bool
    package var durableSequence: UInt64

    package init(
        store: StoreID, generation: UInt64, catalog: LogPosition, replayPosition: LogPosition,
        replayChain: UInt32, isCleanClose: Bool, durableSequence: UInt64
    ) {
        self.store = store
        self.generation = generation
        self.catalog = catalog
        self.replayPosition = replayPosition
        self.replayChain = replayChain
        self.isCleanClose = isCleanClose
        self.durableSequence = durableSequence
    }

    /// Where in the file this generation lives.
    package var slotOffset: UInt64 { (generation % 2) * UInt64(Self.slotSize) }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.slotSize)
        bytes.appendLittle(FormatVersion.superblockMagic)
        bytes.appendLittle(FormatVersion.current)
        bytes.appendLittle(UInt32(0))
        bytes.appendLittle(store.high)
        bytes.appendLittle(store.low)
        bytes.appendLittle(generation)
        bytes.appendLittle(catalog.word)
        bytes.appendLittle(replayPosition.word)
        bytes.appendLittle(replayChain)
        bytes.appendLittle(UInt32(isCleanClose ? 1 : 0))
        bytes.appendLittle(durableSequence)
        bytes.append(contentsOf: repeatElement(0, count: Self.slotSize - 4 - bytes.count))
        bytes.appendLittle(CRC32C.checksum(bytes))
        return bytes
    }

    /// What a slot's bytes are.
    package enum Reading: Equatable {
        case superblock(Superblock)
        case unsupported(UInt32)
        case bad(String)
    }

    package static func read(_ bytes: UnsafeRawBufferPointer, slot: Int) -> Reading {
        guard bytes.count == slotSize, let base = bytes.baseAddress else {
            return .bad("the slot is cut off")
        }
        let sum = unsafe CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<4092]))
        guard unsafe base.little(4092, as: UInt32.self) == sum else {
            return .bad("the slot's checksum doesn't match")
        }
        guard unsafe base.little(0, as: UInt64.self) == FormatVersion.superblockMagic else {
            return .bad("the slot's magic number is unknown")
        }
        let version = unsafe base.little(8, as: UInt32.self)
        guard version == FormatVersion.current, unsafe base.little(12, as: UInt32.self) == 0 else {
            return .unsupported(version)
        }
        let result = Superblock(
            store: unsafe StoreID(
                high: base.little(16, as: UInt64.self), low: base.little(24, as: UInt64.self)),
            generation: unsafe base.little(32, as: UInt64.self),
            catalog: unsafe LogPosition(word: base.little(40, as: UInt64.self)),
            replayPosition: unsafe LogPosition(word: base.little(48, as: UInt64.self)),
            replayChain: unsafe base.little(56, as: UInt32.self),
            isCleanClose: unsafe base.little(60, as: UInt32.self) == 1,
            durableSequence: unsafe base.little(64, as: UInt64.self))
        guard Int(result.generation % 2) == slot else {
            return .bad("the slot holds a generation of the other slot")
        }
        return .superblock(result)
    }
}
