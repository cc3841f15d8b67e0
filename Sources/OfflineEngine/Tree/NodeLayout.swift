// The bytes of a node: one layout in memory (a page of 4,096 bytes) and in a node segment (packed,
// a multiple of 8 bytes).
//
//   offset size  field
//        0    4  checksum: CRC-32C of bytes 4 to the end (undefined in memory)
//        4    4  magic "ONOD"
//        8    1  level: 0 for a leaf, a child's plus one for a branch
//        9    1  bytes of a leaf entry's value: 0 or 8, the same in all of a tree's nodes
//       10    2  number of entries, at least 1
//       12    2  length of the prefix that the keys share
//       14    2  offset of the heap's first byte
//       16    2  length of the node in bytes
//       18    2  in memory: heap bytes that belong to no entry; 0 on disk
//       20    2  in memory: place of the last insertion, plus one; 0 on disk
//       22    2  0
//       24    4  collection, and
//       28    4  tree of the collection that the node belongs to
//       32    8  own location (a word with tag 1); 0 in memory
//       40    8  in memory: id of the owner that made the page; 0 on disk
//       48    4  in memory: place in the owner's list of pages; 0 on disk
//       52    4  0
//       56    8  in memory: location where a checkpoint wrote the page, 0 if none did; 0 on disk
//       64       slots, one for each entry in key order
//                free bytes (on disk: fewer than 8, zero)
//                heap: the entries' bytes (on disk: in key order, one after the other)
//                the prefix; it ends where the node ends
//
// A slot: offset 2, key length after the prefix 2, head 4: the key's first four bytes after the
// prefix as a big-endian number, padded with zeros. An entry's bytes in a leaf: value, key after
// the prefix. In a branch: child reference 8, number of records below 8, separator after the
// prefix. All numbers are little-endian.
//
// A child's keys are at or above its separator and below the next one. The first separator of a
// branch is never compared and is empty; it has no part in the prefix.
//
// How much fits: with keys of at most 1,600 bytes an entry takes at most E = 8 + 16 + 1,600 = 1,624
// of the U = 4,096 - 64 = 4,032 bytes, so two always fit (3,248), and a branch of three (24 +
// 3,248). A node that overflows holds U and one new entry at most; cut where the halves differ
// least, the larger one has at most (U + E)/2 + E/2 = 3,640 bytes. That is where the new key has
// the node's prefix. Where it hasn't, it sorts before or after all the others, and cutting it off
// leaves the others as they were. So a cut always exists (`NodeEntries.cut`).

/// Offsets and bounds of a node.
enum NodeLayout {
    static let pageSize = 4_096
    static let magic: UInt32 = 0x444F_4E4F

    static let checksum = 0
    static let magicAt = 4
    static let kind = 8
    static let count = 10
    static let prefixLength = 12
    static let heapStart = 14
    static let length = 16
    static let dead = 18
    static let lastInsertion = 20
    static let identity = 24
    static let location = 32
    /// From here to the slots everything is for the page in memory only and isn't copied with the
    /// node.
    static let owner = 40
    static let ownerPlace = 48
    static let remembered = 56
    static let slots = 64

    static let slotSize = 8
    static let slotHead = 4

    static let childSize = 16
    static let childCount = 8

    static let capacity = pageSize - slots
    /// Bytes of a key.
    static let keyBytesMax = Limits.keyBytesMax
    /// A branch at this level is the highest; a tree that needs one more is full. With the longest
    /// keys and the least favourable prefixes that is beyond ten million records.
    static let levelMax = 23
    /// A node with fewer bytes than this is merged with a neighbour or filled from it.
    static let fillMin = slots + capacity * 27 / 100
    /// More entries than one node can have: each takes a slot.
    static let entriesMax = capacity / slotSize
    /// Records below a node: more than any store can hold, and sums of them don't overflow.
    static let belowMax: UInt64 = 1 << 48
}

/// A node's level and value width as one number, the way they stand in the header.
struct NodeKind: Equatable {
    var word: UInt16

    init(word: UInt16) { self.word = word }

    init(level: Int, valueWidth: UInt8) {
        word = UInt16(truncatingIfNeeded: level) | UInt16(valueWidth) << 8
    }

    var level: Int { Int(word & 0xFF) }
    var isBranch: Bool { word & 0xFF != 0 }
    var valueWidth: UInt8 { UInt8(truncatingIfNeeded: word >> 8) }
    /// Bytes of an entry without its key.
    @inline(always) var entrySize: Int { isBranch ? NodeLayout.childSize : Int(word >> 8) }
    /// The kind that the children of a branch have.
    @inline(always) var child: NodeKind { NodeKind(word: word &- 1) }
    var parent: NodeKind { NodeKind(word: word &+ 1) }
}
