import Foundation
import Testing

@testable import OfflineDocuments

/// The total order of values, `==` and hashing.
struct ValueOrderTests {
    /// In ascending order; values in one row are equal.
    static let ladder: [[Value]] = [
        [.null],
        [.double(.nan), .double(-.nan), .double(.signalingNaN)],
        [.double(-.infinity)],
        [.double(-0x1p63 * 1.0001)],
        [.int(.min), .double(-0x1p63)],
        [.int(.min + 1)],
        [.int(-9_007_199_254_740_993)],
        [.int(-9_007_199_254_740_992), .double(-9_007_199_254_740_992)],
        [.double(-1.5)], [-1, -1.0], [.double(-.leastNonzeroMagnitude)],
        [0, 0.0, .double(-0.0)],
        [.double(.leastNonzeroMagnitude)], [0.5], [1, 1.0],
        [.int(9_007_199_254_740_992), .double(9_007_199_254_740_992)],
        [.int(9_007_199_254_740_993)],
        [.int(9_007_199_254_740_994), .double(9_007_199_254_740_994)],
        [.int(.max - 1)], [.int(.max)], [.double(0x1p63)], [.double(.infinity)],
        [""], ["\0"], ["A"], ["a"], ["a\0"], ["aa"], ["b"], ["e\u{301}"], ["é"], ["\u{FFFF}"],
        ["\u{10000}"],
        [[:]], [["a": .null]], [["a": 1], ["a": 1.0]], [["a": 1, "b": 0], ["b": 0, "a": 1]],
        [["a": 2]], [["b": .null]],
        [.array([])], [[.null]], [[.null, .null]], [[1]], [[1, 2], [1.0, 2]], [[2]], [["a"]],
        [.data(Data())], [.data(Data([0]))], [.data(Data([0, 0]))], [.data(Data([1]))],
        [false], [true],
        [.date(Date(timeIntervalSinceReferenceDate: .nan))],
        [.date(Date(timeIntervalSinceReferenceDate: -1))],
        [
            .date(Date(timeIntervalSinceReferenceDate: 0)),
            .date(Date(timeIntervalSinceReferenceDate: -0.0)),
        ],
        [.date(Date(timeIntervalSinceReferenceDate: 0.5))],
    ]

    @Test
    func `the ladder ascends`() {
        for (low, lowRow) in Self.ladder.enumerated() {
            for (high, highRow) in Self.ladder.enumerated() {
                for a in lowRow {
                    for b in highRow {
                        let order = Value.order(a, b).signum()
                        #expect(order == (low - high).signum(), "\(a) \(b)")
                        #expect((a == b) == (low == high), "\(a) \(b)")
                        if low == high { #expect(a.hashValue == b.hashValue, "\(a) \(b)") }
                    }
                }
            }
        }
    }

    @Test(arguments: 1...3)
    func `the order is total, and equality and hash go with it`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<4000 {
            let a = random.value(depth: 2)
            let b = random.chance(1, in: 2) ? random.neighbour(of: a) : random.value(depth: 2)
            let c = random.chance(1, in: 2) ? random.neighbour(of: b) : random.value(depth: 2)
            let what = "seed \(seed), step \(step): \(a.json()) \(b.json()) \(c.json())"
            let ab = Value.order(a, b).signum()
            let bc = Value.order(b, c).signum()
            let ac = Value.order(a, c).signum()
            #expect(Value.order(a, a) == 0 && a == a, "\(what)")
            #expect(ab == -Value.order(b, a).signum(), "\(what)")
            #expect((ab == 0) == (a == b), "\(what)")
            if ab == 0 { #expect(a.hashValue == b.hashValue, "\(what)") }
            if ab <= 0, bc <= 0 { #expect(ac == min(ab, bc), "\(what)") }
            if ab >= 0, bc >= 0 { #expect(ac == max(ab, bc), "\(what)") }
        }
    }

    @Test
    func `an int and a double are compared exactly`() {
        // Against arithmetic that can't round: a double of this size is an integer, as an Int128 holds it.
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let int = random.int()
            let double = random.chance(1, in: 2) ? Double(int).nextUp : random.double()
            guard double.magnitude < 0x1p100 else { continue }
            let whole = Int128(double.rounded(.towardZero))
            let expected =
                Int128(int) != whole
                ? (Int128(int) < whole ? -1 : 1)
                : (double == double.rounded(.towardZero) ? 0 : (double > 0 ? -1 : 1))
            #expect(Number.order(int, double) == expected, "\(int) \(double)")
        }
    }
}
