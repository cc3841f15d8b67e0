// Lists of derived index entries as sets: sorted, searched, subtracted.
internal import OfflineBytes

extension DerivedKeys {
    /// The key of an entry.
    func key(_ entry: Entry) -> ArraySlice<UInt8> { bytes[entry.range] }

    /// Sorts by tree, then by key.
    mutating func sort() {
        if entries.count < 2 { return }
        unsafe bytes.withUnsafeBytes { bytes in
            entries.sort { unsafe Self.order($0, bytes, $1, bytes) < 0 }
        }
    }

    /// Appends the entries of `first` that `second` doesn't have. Both are sorted; few entries
    /// each.
    mutating func append(entriesOf first: DerivedKeys, notIn second: DerivedKeys) {
        for entry in first.entries where !second.contains(entry.index, first.key(entry)) {
            append(index: entry.index) { $0.append(contentsOf: first.key(entry)) }
        }
    }

    /// Whether there is this entry. The list is sorted.
    func contains(_ index: UInt32, _ key: ArraySlice<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe key.withUnsafeBytes { key in
                let sought = Entry(index: index, range: 0..<key.count)
                var low = 0
                var high = entries.count
                while low < high {
                    let middle = (low + high) / 2
                    let order = unsafe Self.order(entries[middle], bytes, sought, key)
                    if order == 0 { return true }
                    if order < 0 { low = middle + 1 } else { high = middle }
                }
                return false
            }
        }
    }

    @inline(__always)
    private static func order(
        _ a: Entry, _ aBytes: UnsafeRawBufferPointer, _ b: Entry, _ bBytes: UnsafeRawBufferPointer
    ) -> Int {
        if a.index != b.index { return a.index < b.index ? -1 : 1 }
        return unsafe ByteOrder.compare(
            UnsafeRawBufferPointer(rebasing: aBytes[a.range]),
            UnsafeRawBufferPointer(rebasing: bBytes[b.range]))
    }
}
