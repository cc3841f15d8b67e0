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
