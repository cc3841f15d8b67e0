// The pure function from a record to its index keys, handed in from above: the engine never knows what a record is.
internal import OfflineBytes

/// A collection as whoever derives its keys must know it.
package struct CollectionDescription: Sendable, Equatable {
    package var id: UInt32
    package var definition: [UInt8]
    /// Index trees' numbers, ascending.
    package var indexes: [UInt32]
    package var names: [String]

    package init(id: UInt32, definition: [UInt8], indexes: [UInt32], names: [String]) {
        self.id = id
        self.definition = definition
        self.indexes = indexes
        self.names = names
    }
}

/// Derives index entries; used by recovery, index builds and verification.
package protocol IndexDerivation: AnyObject, Sendable {
    /// A collection as stored; called before any of its records is derived, and when its definition changes.
    func load(_ collection: CollectionDescription) throws
    /// Names that a replayed commit appended.
    func extendNames(of collection: UInt32, with names: [String]) throws
    /// Appends the record's entries to `entries`.
    func derive(
        collection: UInt32, key: UnsafeRawBufferPointer, record: UnsafeRawBufferPointer,
        into entries: inout IndexEntries
    ) throws
}

/// Index entries of one record, in one buffer.
package struct IndexEntries {
    package struct Entry {
        package var index: UInt32
        package var range: Range<Int>
    }
    package private(set) var bytes: [UInt8] = []
    package private(set) var entries: [Entry] = []

    package init() {}

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }

    package mutating func append(index: UInt32, key: some Sequence<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: key)
        entries.append(Entry(index: index, range: start..<bytes.count))
    }

    /// Ascending by tree, then by key; an entry that is there twice is kept once.
    package mutating func sort() {
        if entries.count < 2 { return }
        let sorted = entries.sorted { compare($0, self, $1) < 0 }
        var unique: [Entry] = []
        unique.reserveCapacity(sorted.count)
        for entry in sorted {
            if let last = unique.last, compare(last, self, entry) == 0 { continue }
            unique.append(entry)
        }
        entries = unique
    }

    package func compare(_ entry: Entry, _ other: IndexEntries, _ otherEntry: Entry) -> Int {
        if entry.index != otherEntry.index { return entry.index < otherEntry.index ? -1 : 1 }
        return unsafe bytes.withUnsafeBytes { mine in
            unsafe other.bytes.withUnsafeBytes { theirs in
                unsafe ByteOrder.compare(
                    UnsafeRawBufferPointer(rebasing: mine[entry.range]),
                    UnsafeRawBufferPointer(rebasing: theirs[otherEntry.range]))
            }
        }
    }

    /// Calls `removed` for each entry of `old` that isn't in `new`, and `added` for each of `new` that isn't in `old`.
    /// Both are sorted.
    package static func difference<Failure: Error>(
        from old: IndexEntries, to new: IndexEntries,
        removed: (Entry) throws(Failure) -> Void, added: (Entry) throws(Failure) -> Void
    ) throws(Failure) {
        var left = 0
        var right = 0
        while left < old.entries.count || right < new.entries.count {
            let order: Int
            if left == old.entries.count {
                order = 1
            } else if right == new.entries.count {
                order = -1
            } else {
                order = old.compare(old.entries[left], new, new.entries[right])
            }
            if order < 0 {
                try removed(old.entries[left])
                left += 1
            } else if order > 0 {
                try added(new.entries[right])
                right += 1
            } else {
                left += 1
                right += 1
            }
        }
    }

    /// The entry's key, valid during `body`.
    package func withKey<Result, Failure: Error>(
        _ entry: Entry, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe bytes.withBytes { buffer throws(Failure) in
            try unsafe body(UnsafeRawBufferPointer(rebasing: buffer[entry.range]))
        }
    }
}
