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

    /// Sorts the entries from position `first` on, all of one tree, by key, and keeps one of those
    /// that are equal. `folded`: keeps the first of those that begin with equal values.
    mutating func makeDistinct(from first: Int, folded: Bool = false) {
        unsafe bytes.withUnsafeBytes { bytes in
            entries[first...].sort { unsafe Self.order($0, bytes, $1, bytes) < 0 }
            var kept = first
            for position in first..<entries.count {
                let entry = entries[position]
                if kept > first {
                    let last = unsafe UnsafeRawBufferPointer(
                        rebasing: bytes[entries[kept - 1].range])
                    let key = unsafe UnsafeRawBufferPointer(rebasing: bytes[entry.range])
                    if unsafe ByteOrder.isEqual(last, key) { continue }
                    if folded, unsafe Self.haveEqualValues(last, key) { continue }
                }
                entries[kept] = entry
                kept += 1
            }
            entries.removeSubrange(kept...)
        }
    }

    /// Whether the first value is the same in both entries; never so where it was cut or they are
    /// markers.
    private static func haveEqualValues(
        _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
    ) -> Bool {
        guard let value = unsafe KeyDecoder.indexEntryParts(a, valueCount: 1), !value.isCut,
            b.count >= value.keyLength
        else { return false }
        return unsafe ByteOrder.isEqual(
            UnsafeRawBufferPointer(rebasing: a[..<value.keyLength]),
            UnsafeRawBufferPointer(rebasing: b[..<value.keyLength]))
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
