// How much of a file is in use, and by whom: what compaction chooses files by, and what lets a collection be emptied without
// a look at its records.
internal import OfflineBytes

/// Bytes of one file that trees lead to, by collection.
package struct LiveBytes: Equatable, Sendable {
    package struct Share: Equatable, Sendable {
        package var collection: UInt32
        package var bytes: Int64

        package init(collection: UInt32, bytes: Int64) {
            self.collection = collection
            self.bytes = bytes
        }
    }

    /// Ascending by collection; few, mostly.
    package private(set) var shares: [Share] = []

    package init() {}

    /// `shares` ascend by collection.
    package init(_ shares: [Share]) { self.shares = shares }

    package func bytes(of collection: UInt32) -> Int64 {
        shares.first { $0.collection == collection }?.bytes ?? 0
    }

    /// Of all collections.
    package var total: Int64 { shares.reduce(0) { $0 &+ $1.bytes } }

    package mutating func add(_ collection: UInt32, _ bytes: Int64) {
        let place = shares.firstIndex { $0.collection >= collection } ?? shares.count
        if place < shares.count, shares[place].collection == collection {
            shares[place].bytes &+= bytes
        } else {
            shares.insert(Share(collection: collection, bytes: bytes), at: place)
        }
    }

    /// The collection has nothing in the file any more.
    package mutating func clear(_ collection: UInt32) {
        shares.removeAll { $0.collection == collection }
    }

    /// Varint count of collections that have anything, then for each, ascending: varint collection, varint bytes.
    func append(to bytes: inout [UInt8]) {
        let known = shares.filter { $0.bytes > 0 }
        bytes.appendVarint(UInt64(known.count))
        for share in known {
            bytes.appendVarint(UInt64(share.collection))
            bytes.appendVarint(UInt64(share.bytes))
        }
    }

    static func decoded(_ reader: inout ByteReader) throws(ByteError) -> LiveBytes {
        var live = LiveBytes()
        for _ in 0..<(try unsafe reader.count(atMost: reader.remaining)) {
            let at = unsafe reader.offset
            let collection = UInt32(try unsafe reader.count(atMost: Int(Limits.collectionIDMax)))
            let bytes = Int64(try unsafe reader.count(atMost: Int(Location.offsetLimit)))
            guard live.shares.last.map({ $0.collection < collection }) ?? true else {
                throw ByteError("a file's collections are out of order", at: at)
            }
            live.shares.append(Share(collection: collection, bytes: bytes))
        }
        return live
    }
}
