// Finding a key in a node: the prefix once, then a binary search over the slots' heads, and the
// bytes behind a head only where heads are equal.
internal import OfflineBytes

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Node {
    /// The first entry whose key is at or after `key`, and whether it is `key`. In a branch at
    /// least 1.
    @inline(always)
    func search(_ key: TreeKey) -> (index: Int, found: Bool) {
        var low = firstKey
        var high = count
        let prefixLength = prefixLength
        let order = prefixOrder(key, prefixLength)
        if order != 0 { return (order < 0 ? low : high, false) }
        let suffix = unsafe TreeKey(base: key.base + prefixLength, count: key.count &- prefixLength)
        let head = suffix.head
        while low < high {
            let middle = (low &+ high) &>> 1
            let found = self.head(middle)
            if found < head {
                low = middle &+ 1
            } else if found > head {
                high = middle
            } else {
                let order = suffix.orderBeyondHead(self.suffix(middle))
                if order == 0 { return (middle, true) }
                if order > 0 { low = middle &+ 1 } else { high = middle }
            }
        }
        return (low, false)
    }

    /// The branch entry under which `key` belongs.
    @inline(always)
    func childIndex(_ key: TreeKey) -> Int {
        let (index, found) = search(key)
        return found ? index : index &- 1
    }

    /// 0 where `key` begins with the prefix; else negative or positive as it is before or after all
    /// keys that do.
    @inline(always)
    func prefixOrder(_ key: TreeKey, _ prefixLength: Int) -> Int {
        if prefixLength == 0 { return 0 }
        let prefix = unsafe base + (length &- prefixLength)
        let shared = min(prefixLength, key.count)
        // Prefixes are short: a loop is faster than a call.
        var index = 0
        while index < shared {
            let wanted = unsafe key.base.load(fromByteOffset: index, as: UInt8.self)
            let found = unsafe prefix.load(fromByteOffset: index, as: UInt8.self)
            if wanted != found { return wanted < found ? -1 : 1 }
            index &+= 1
        }
        return key.count < prefixLength ? -1 : 0
    }
}

extension TreeKey {
    /// The first four bytes as a big-endian number, padded with zeros.
    @inline(always)
    var head: UInt32 {
        if count >= 4 { return unsafe base.big(0) }
        var result: UInt32 = 0
        var index = 0
        while index < count {
            let byte = unsafe base.load(fromByteOffset: index, as: UInt8.self)
            result |= UInt32(byte) &<< UInt32(truncatingIfNeeded: 24 &- index &* 8)
            index &+= 1
        }
        return result
    }

    /// The order of two keys with equal heads.
    @inline(always)
    func orderBeyondHead(_ other: TreeKey) -> Int {
        let shared = min(count, other.count) &- 4
        if shared > 0 {
            let order = unsafe memcmp(base + 4, other.base + 4, shared)
            if order != 0 { return Int(order) }
        }
        // With a key of at most four bytes, equal heads mean that it begins the other one.
        return count &- other.count
    }

    /// The order of two keys.
    func order(_ other: TreeKey) -> Int { unsafe ByteOrder.compare(bytes, other.bytes) }
}
