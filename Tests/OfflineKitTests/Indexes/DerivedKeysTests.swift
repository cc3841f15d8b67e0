import Testing

@testable import OfflineKit

@Suite struct DerivedKeysTests {
    private func keys(_ entries: [(UInt32, [UInt8])]) -> DerivedKeys {
        var keys = DerivedKeys()
        for (index, key) in entries { keys.append(index: index) { $0 += key } }
        return keys
    }

    private func list(_ keys: DerivedKeys) -> [[UInt8]] {
        keys.entries.map { [UInt8($0.index)] + keys.key($0) }
    }

    @Test func `sorting is by tree, then by bytes, the shorter first`() {
        var sorted = keys([(2, [1]), (1, [2]), (1, [1, 0]), (1, []), (1, [1]), (2, [0, 9])])
        sorted.sort()
        #expect(list(sorted) == [[1], [1, 1], [1, 1, 0], [1, 2], [2, 0, 9], [2, 1]])
        for entry in sorted.entries { #expect(sorted.contains(entry.index, sorted.key(entry))) }
        #expect(!sorted.contains(2, [2]))
        #expect(!sorted.contains(3, [1]))
    }

    @Test func `a difference has what only the first list has`() {
        var difference = keys([(9, [9])])
        difference.append(
            entriesOf: keys([(1, [1]), (1, [2]), (2, [1])]), notIn: keys([(1, [2]), (2, [2])]))
        #expect(list(difference) == [[9, 9], [1, 1], [2, 1]])
    }

    @Test func `the last entry can be taken back`() {
        var some = keys([(1, [1]), (2, [2, 3])])
        some.removeLast()
        some.append(index: 3) { $0.append(7) }
        #expect(list(some) == [[1, 1], [3, 7]])
        #expect(some.bytes == [1, 7])
        some.removeAll()
        some.removeLast()
        #expect(some.entries.isEmpty)
    }
}
