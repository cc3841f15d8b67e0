import OfflineBytes
import StorageSimulation
import Testing

@Suite struct ByteOrderTests {
    /// In ascending order.
    private static let ordered: [[UInt8]] = [
        [], [0], [0, 0], [0, 1], [1], [1, 0], [1, 0xFF], [0x7F], [0x80], [0xFF], [0xFF, 0],
        [0xFF, 0xFF],
    ]

    @Test func `bytes compare unsigned, and a prefix comes first`() {
        for (i, left) in Self.ordered.enumerated() {
            for (j, right) in Self.ordered.enumerated() {
                let order = ByteOrder.compare(left, right)
                #expect(order.signum() == (i - j).signum(), "\(left) and \(right)")
            }
        }
    }

    @Test func `the order is that of lexicographic comparison`() {
        for seed in SeededRandom.seeds(500) {
            var random = SeededRandom(seed: seed)
            let shared = random.bytes(random.below(20))
            let left = shared + random.bytes(random.below(3))
            let right = shared + random.bytes(random.below(3))
            let expected =
                left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
            #expect(ByteOrder.compare(left, right).signum() == expected, "seed \(seed)")
            let common = zip(left, right).prefix { $0 == $1 }.count
            let found = unsafe left.withUnsafeBytes { first in
                unsafe right.withUnsafeBytes { unsafe ByteOrder.commonPrefix(first, $0) }
            }
            #expect(found == common, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            ([], nil), ([0xFF], nil), ([0xFF, 0xFF], nil), ([0], [1]), ([1, 0xFF], [2]),
            ([1, 0xFF, 0xFF], [2]), ([0xFF, 0], [0xFF, 1]), ([1, 2], [1, 3]),
        ] as [([UInt8], [UInt8]?)])
    func `the successor of a prefix`(_ prefix: [UInt8], _ expected: [UInt8]?) {
        #expect(ByteOrder.successor(ofPrefix: prefix) == expected)
    }

    @Test func `a successor bounds exactly what begins with the prefix`() {
        for seed in SeededRandom.seeds(300) {
            var random = SeededRandom(seed: seed)
            let prefix = (0..<random.below(4)).map { _ in [0, 1, 0xFE, 0xFF][random.below(4)] }
                .map(UInt8.init)
            guard let bound = ByteOrder.successor(ofPrefix: prefix) else { continue }
            let bytes = (0..<random.below(6)).map { _ in [0, 1, 0xFE, 0xFF][random.below(4)] }
                .map(UInt8.init)
            let isWithin =
                ByteOrder.compare(bytes, prefix) >= 0 && ByteOrder.compare(bytes, bound) < 0
            #expect(isWithin == bytes.starts(with: prefix), "seed \(seed): \(prefix), \(bytes)")
        }
    }
}
