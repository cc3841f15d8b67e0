import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

@Suite struct KeyOrderTests {
    /// Values in ascending order, written down by hand: what is before what doesn't follow from any code.
    static let ascending: [Value] = [
        .null,
        .double(.nan), .double(-.infinity), .double(-.greatestFiniteMagnitude),
        .double((-0x1p63).nextDown), .int(.min), .int(.min + 1), .int(.min + 1024),
        .int(-9_007_199_254_740_994), .int(-9_007_199_254_740_993), .int(-9_007_199_254_740_992),
        .int(-9_007_199_254_740_991), .double(-1.5), .int(-1), .double(-.leastNormalMagnitude),
        .double(-.leastNonzeroMagnitude), .int(0), .double(.leastNonzeroMagnitude),
        .double(.leastNormalMagnitude), .double(0.5), .int(1), .double(1.0.nextUp), .int(2),
        .int(255),
        .int(256), .int(9_007_199_254_740_991), .int(9_007_199_254_740_992),
        .int(9_007_199_254_740_993), .int(9_007_199_254_740_994), .int(.max - 1023),
        .int(.max - 1022), .int(.max), .double(0x1p63), .double(.infinity),
        "", "\0", "\0\0", "\0a", "\u{1}", "\u{1}\0", "\u{2}", "A", "a", "a\0", "a\0b", "a\u{1}",
        "ab",
        "e\u{301}", "\u{7F}", "é", "\u{FFFF}", "\u{10FFFF}",
        [:], ["": .null], ["": 1], ["": 1, "a": 1], ["\0": .null], ["a": .null],
        ["a": 1], ["b": 1, "a": 1], ["a": 1, "c": 0], ["a": 2], ["a": [:]], ["ab": .null],
        ["b": .null],
        [], [.null], [.null, .null], [1], [1, 1], [1, 2], [2], ["a"], ["a", "a"], ["a\0"], [[:]],
        [[]],
        [[], 1], [[[]]],
        .data(Data()), .data(Data([0])), .data(Data([0, 0])), .data(Data([0, 1])), .data(Data([1])),
        .data(Data([1, 0])), .data(Data([2])), .data(Data([0xFF])), .data(Data([0xFF, 0])),
        .data(Data([0xFF, 0xFF])),
        false, true,
        .date(Date(timeIntervalSinceReferenceDate: .nan)), .date(.distantPast),
        .date(Date(timeIntervalSinceReferenceDate: -0.25)),
        .date(Date(timeIntervalSinceReferenceDate: 0)),
        .date(Date(timeIntervalSinceReferenceDate: 1)), .date(.distantFuture),
    ]

    @Test func `keys of a hand-made list ascend`() {
        for (index, low) in Self.ascending.enumerated() {
            for high in Self.ascending[(index + 1)...] {
                #expect(
                    KeyEncoder.key(low).lexicographicallyPrecedes(KeyEncoder.key(high)),
                    "\(low) \(high)")
                #expect(Value.order(low, high) < 0, "\(low) \(high)")
            }
        }
    }

    @Test(
        arguments: [
            (.int(0), .double(-0.0)), (.int(1), .double(1)), (.int(.min), .double(-0x1p63)),
            (.double(.nan), .double(-.signalingNaN)), (.int(1 << 60), .double(0x1p60)),
            (["a": 1, "b": 2], ["b": 2.0, "a": 1]),
            (
                .date(Date(timeIntervalSinceReferenceDate: 0)),
                .date(Date(timeIntervalSinceReferenceDate: -0.0))
            ),
        ] as [(Value, Value)])
    func `equal values have equal keys`(_ a: Value, _ b: Value) {
        #expect(KeyEncoder.key(a) == KeyEncoder.key(b))
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `the order of keys is the order of values`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<4_000 {
            let a = random.value()
            let b = random.chance(1, in: 3) ? random.value() : random.neighbour(of: a)
            let keys = ByteOrder.compare(KeyEncoder.key(a), KeyEncoder.key(b)).signum()
            #expect(keys == Value.order(a, b).signum(), "seed \(seed), step \(step): \(a) \(b)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `joined keys compare value by value`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<2_000 {
            let left = (0..<3).map { _ in random.value(depth: 1) }
            let right = left.map { random.chance(2, in: 3) ? $0 : random.neighbour(of: $0) }
            let order = zip(left, right).lazy.map { Value.order($0, $1).signum() }.first { $0 != 0 }
            let keys = ByteOrder.compare(
                left.flatMap(KeyEncoder.key), right.flatMap(KeyEncoder.key))
            #expect(keys.signum() == order ?? 0, "seed \(seed), step \(step): \(left) \(right)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `no key begins another one`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<2_000 {
            let a = random.value()
            let b = random.neighbour(of: a)
            let keys = (KeyEncoder.key(a), KeyEncoder.key(b))
            #expect(
                keys.0 == keys.1 || !keys.0.starts(with: keys.1) && !keys.1.starts(with: keys.0),
                "seed \(seed), step \(step): \(a) \(b)")
        }
    }

    @Test func `keys lie in the range of their type and in no other`() {
        let kinds: [Value] = [.null, 0, "", [:], [], .data(Data()), false, .date(.distantPast)]
        for value in Self.ascending {
            for kind in kinds {
                let range = KeyLayout.typeRange(of: kind)
                let key = KeyEncoder.key(value)
                let isWithin = key >= [range.first] && key < [range.end]
                #expect(isWithin == (value.kind.rank == kind.kind.rank), "\(value) \(kind)")
            }
        }
    }

    @Test func `a string's prefix bounds exactly the strings that begin with it`() {
        let texts = [
            "", "\0", "\0\0", "a", "a\0", "a\0\u{1}", "a\u{1}", "ab", "b", "é", "e\u{301}",
        ]
        for prefix in texts {
            var low: [UInt8] = []
            KeyEncoder.appendPrefix(prefix, to: &low)
            for text in texts {
                let begins = text.utf8.starts(with: prefix.utf8)
                #expect(
                    KeyEncoder.key(.string(text)).starts(with: low) == begins, "\(prefix) \(text)")
            }
        }
    }
}

extension [UInt8] {
    fileprivate static func < (a: [UInt8], b: [UInt8]) -> Bool { ByteOrder.compare(a, b) < 0 }
    fileprivate static func >= (a: [UInt8], b: [UInt8]) -> Bool { !(a < b) }
}
