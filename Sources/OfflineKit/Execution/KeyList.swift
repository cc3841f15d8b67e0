// Many keys in one buffer, so that gathering them allocates nothing per key.
internal import OfflineBytes

/// A list of byte strings.
struct KeyList: Sendable {
    private var bytes: [UInt8] = []
    /// Where each key lies in `bytes`, in the list's order.
    private var places: [Range<Int>] = []

    var count: Int { places.count }

    /// The keys, each in memory of its own.
    var keys: [[UInt8]] { places.map { Array(bytes[$0]) } }

    mutating func append(_ key: ArraySlice<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: key)
        places.append(start..<bytes.count)
    }

    /// Replaces `buffer` by the key at `index`, keeping its memory.
    func copy(_ index: Int, into buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: true)
        buffer.append(contentsOf: bytes[places[index]])
    }

    /// The keys that are in the other list too. Both are in key order, and each key once in them.
    func intersection(with other: KeyList) -> KeyList {
        var common = KeyList()
        unsafe bytes.withUnsafeBytes { mine in
            unsafe other.bytes.withUnsafeBytes { theirs in
                var (left, right) = (0, 0)
                while left < places.count, right < other.places.count {
                    let order = unsafe ByteOrder.compare(
                        UnsafeRawBufferPointer(rebasing: mine[places[left]]),
                        UnsafeRawBufferPointer(rebasing: theirs[other.places[right]]))
                    if order == 0 { common.append(bytes[places[left]]) }
                    if order <= 0 { left += 1 }
                    if order >= 0 { right += 1 }
                }
            }
        }
        return common
    }

    /// Where the key is in the list, which is in key order; nil where it isn't.
    func position(of key: [UInt8]) -> Int? {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe key.withUnsafeBytes { key in
                var range = places.indices
                while !range.isEmpty {
                    let middle = range.lowerBound + range.count / 2
                    let order = unsafe ByteOrder.compare(
                        key, UnsafeRawBufferPointer(rebasing: bytes[places[middle]]))
                    if order == 0 { return middle }
                    range =
                        order < 0
                        ? range.lowerBound..<middle : middle + 1..<range.upperBound
                }
                return nil
            }
        }
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }

    mutating func reverse() { places.reverse() }

    /// Puts the keys into key order.
    mutating func sort() {
        unsafe bytes.withUnsafeBytes { bytes in
            places.sort { a, b in
                unsafe ByteOrder.compare(
                    UnsafeRawBufferPointer(rebasing: bytes[a]),
                    UnsafeRawBufferPointer(rebasing: bytes[b])) < 0
            }
        }
    }

    /// Keeps one of each run of equal keys.
    mutating func removeRepeated() {
        var kept = 0
        for index in places.indices {
            if kept > 0, bytes[places[index]] == bytes[places[kept - 1]] { continue }
            places[kept] = places[index]
            kept += 1
        }
        places.removeSubrange(kept...)
    }
}
