// Where a collection's changes are. A collection that tracks changes, or has done so, has, beside its own trees:
//
//     what                 tree                                  key                      value
//     latest changes       index 4,294,967,295 of its own        class, number, key       none
//     change entries       the primary tree of its changes       the record's key         ChangeEntry
//     entries in order     index 1 of its changes                class, number, key       none
//
// "Its changes" is a collection of the backend of its own, whose definition names the collection that it belongs to. Both index
// trees are derived, from RecordStamp and from ChangeEntry, as all index trees are. A key in them is a class (1 byte), the
// change's number (8 bytes, big-endian) and the record's key, so that each class is in the order of its changes. The classes:
//
//     of its own tree      1 local: the application's change          2 applied: by a synchronization
//     of its changes' tree 1 synchronized: this local change is known 2 pending tombstone   3 settled tombstone
//                            to the server
//
// A synchronized entry has the key of the local change that it marks. So the pending changes of records that are there are
// the keys of class 1 in the one tree that aren't in the other, and since both trees are counted, they are found in
// O(log² n) each however many others there are (PendingScan).
internal import OfflineBytes
package import OfflineDocuments

/// The trees of one collection's changes.
package struct ChangeTrees: Hashable, Sendable {
    /// The index tree of latest changes.
    package static let number: UInt32 = .max
    /// The index tree of entries, in the collection of changes.
    package static let entryNumber: UInt32 = 1
    /// Where the horizon is among the entries; no record has this key.
    static let horizonKey: [UInt8] = [0]

    /// The collection of changes.
    let collection: CollectionID
    /// The collection that they belong to.
    let owner: CollectionID
    /// Changes of the collection with lower sequences aren't here: it didn't track them.
    let firstSequence: UInt64

    var latest: TreeID { TreeID(owner, Self.number) }
    var entries: TreeID { TreeID(collection) }
    var entriesInOrder: TreeID { TreeID(collection, Self.entryNumber) }

    /// What a key in one of the index trees is about.
    enum Class: UInt8 {
        /// In `latest`.
        case local = 1
        case applied = 2
    }
    /// The same in `entriesInOrder`.
    enum EntryClass: UInt8 {
        case synchronized = 1
        case pendingTombstone = 2
        case settledTombstone = 3
    }

    /// All keys of a class.
    static func range(_ kind: UInt8) -> KeyRange { KeyRange(lower: [kind], upper: [kind + 1]) }

    /// Appends a key.
    static func append(
        _ kind: UInt8, number: UInt64, key: RawSpan, to bytes: inout [UInt8]
    ) {
        bytes.append(kind)
        bytes.appendBig(number)
        unsafe key.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// The parts of a key; `.corrupted` for bytes that are none.
    package static func parts(
        of bytes: [UInt8]
    ) throws(OfflineError) -> (number: UInt64, key: ArraySlice<UInt8>) {
        guard bytes.count > 9 else {
            throw OfflineError(.corrupted, "an entry in the order of changes is malformed")
        }
        let number = bytes[1..<9].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return (number, bytes[9...])
    }
}

extension RecordStamp {
    /// Appends the record's key in `ChangeTrees.latest`.
    func append(key: RawSpan, to keys: inout DerivedKeys) {
        let kind = isLocal ? ChangeTrees.Class.local : .applied
        keys.append(index: ChangeTrees.number) {
            ChangeTrees.append(kind.rawValue, number: number, key: key, to: &$0)
        }
    }
}

extension ChangeEntry {
    /// Appends the entry's key in `ChangeTrees.entriesInOrder`, if it has one.
    func append(key: RawSpan, to keys: inout DerivedKeys) {
        let place: (kind: ChangeTrees.EntryClass, number: UInt64)? =
            switch self {
            case .synchronized(let number): (.synchronized, number)
            case .tombstone(let tombstone):
                (tombstone.isPending ? .pendingTombstone : .settledTombstone, tombstone.number)
            case .base, .horizon: nil
            }
        guard let place else { return }
        keys.append(index: ChangeTrees.entryNumber) {
            ChangeTrees.append(place.kind.rawValue, number: place.number, key: key, to: &$0)
        }
    }
}
