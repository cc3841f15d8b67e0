// Sorting in memory. A record becomes one string of bytes whose memcmp order is the wanted one: the encoded sort values, those
// of descending terms with all bits flipped, then the record's key. So ties come in key order, and a comparison is one
// memcmp. With a limit only the first records are kept, in a heap whose root is the last of them.
internal import OfflineBytes
import OfflineDocuments

/// Makes the bytes that a record sorts by.
struct SortKeys {
    private struct Term {
        let path: CompiledPath
        let isDescending: Bool
    }
    private let terms: [Term]
    private let collation: Collation
    /// Memory for the key of a value that may turn out not to be the one.
    private var candidate: [UInt8] = []

    /// An empty array is below null, the first byte of whose key is above this one.
    private static let emptyArray: UInt8 = 0x01

    init(_ sort: [SortTerm], in names: NameDictionary, collation: Collation = .binary) {
        self.collation = collation
        terms = sort.map {
            Term(path: $0.path.compiled(in: names), isDescending: $0.isDescending)
        }
    }

    /// Appends the record's sort values.
    @unsafe
    mutating func append(_ record: RecordView, to bytes: inout [UInt8]) {
        for term in terms {
            let start = bytes.count
            unsafe appendValue(record, term, &bytes)
            guard term.isDescending else { continue }
            for index in start..<bytes.count { bytes[index] = ~bytes[index] }
        }
    }

    /// Appends the value that the record sorts by: of several the least ascending, the greatest descending.
    @unsafe
    private mutating func appendValue(_ record: RecordView, _ term: Term, _ bytes: inout [UInt8]) {
        let start = bytes.count
        var other = candidate
        candidate = []
        func offer(_ encode: (inout [UInt8]) -> Void) {
            if bytes.count == start { return encode(&bytes) }
            other.removeAll(keepingCapacity: true)
            encode(&other)
            let order = SortKeys.order(other, bytes[start...])
            guard term.isDescending ? order > 0 : order < 0 else { return }
            bytes.removeSubrange(start...)
            bytes.append(contentsOf: other)
        }
        unsafe record.root.visit(term.path) { value, isElement in
            guard let value = unsafe value else {
                offer { appendNull(to: &$0) }
                return true
            }
            guard !isElement, unsafe value.kind == .array else {
                offer { unsafe appendKey(value, record.names, &$0) }
                return true
            }
            let count = unsafe value.count
            if count == 0 { offer { $0.append(SortKeys.emptyArray) } }
            for index in 0..<count {
                let element = unsafe value.element(index)
                offer { unsafe appendKey(element, record.names, &$0) }
            }
            return true
        }
        if bytes.count == start { appendNull(to: &bytes) }
        candidate = other
    }

    /// Appends the value's key; where case is ignored, behind its folded key: of texts that are equal then, the bytes
    /// decide.
    @unsafe
    private func appendKey(
        _ value: EncodedValue, _ names: NameDictionary, _ bytes: inout [UInt8]
    ) {
        if collation == .caseInsensitive {
            unsafe KeyEncoder.append(value, names, folded: true, to: &bytes)
        }
        unsafe KeyEncoder.append(value, names, to: &bytes)
    }

    /// Appends what a missing field sorts by: the same as null.
    private func appendNull(to bytes: inout [UInt8]) {
        if collation == .caseInsensitive { KeyEncoder.append(.null, to: &bytes) }
        KeyEncoder.append(.null, to: &bytes)
    }

    private static func order(_ a: [UInt8], _ b: ArraySlice<UInt8>) -> Int {
        unsafe a.withUnsafeBytes { left in
            unsafe b.withUnsafeBytes { unsafe ByteOrder.compare(left, $0) }
        }
    }
}

/// Collects records and gives them out in order: all, or only the first `capacity`.
struct SortBuffer {
    /// One record: its sort bytes, the record's key behind them.
    struct Entry {
        var bytes: [UInt8]
        /// Where the record's key begins.
        var keyStart: Int
        var key: ArraySlice<UInt8> { bytes[keyStart...] }
    }

    /// Nil: all are kept.
    private let capacity: Int?
    /// Once there are `capacity` of them, a heap: no entry is before its children in the order.
    private var entries: [Entry] = []

    init(capacity: Int?) {
        self.capacity = capacity
    }

    /// Takes the record in, if it is among the first.
    mutating func add(_ bytes: [UInt8], keyStart: Int) {
        guard let capacity else {
            entries.append(Entry(bytes: bytes, keyStart: keyStart))
            return
        }
        if entries.count < capacity {
            entries.append(Entry(bytes: bytes, keyStart: keyStart))
            if entries.count == capacity {
                for index in stride(from: entries.count / 2 - 1, through: 0, by: -1) {
                    siftDown(index)
                }
            }
        } else if capacity > 0, ByteOrder.compare(bytes, entries[0].bytes) < 0 {
            entries[0] = Entry(bytes: bytes, keyStart: keyStart)
            siftDown(0)
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var greatest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if ByteOrder.compare(entries[greatest].bytes, entries[child].bytes) < 0 {
                    greatest = child
                }
            }
            if greatest == parent { return }
            entries.swapAt(parent, greatest)
            parent = greatest
        }
    }

    /// The kept records' keys in order, without the first `offset`.
    consuming func sortedKeys(droppingFirst offset: Int) -> KeyList {
        entries.sort { ByteOrder.compare($0.bytes, $1.bytes) < 0 }
        var keys = KeyList()
        for entry in entries.dropFirst(offset) { keys.append(entry.key) }
        return keys
    }
}
