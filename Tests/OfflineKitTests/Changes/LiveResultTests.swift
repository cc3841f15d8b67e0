import Testing

@testable import OfflineKit

@Suite struct LiveResultTests {
    private static func entry(_ key: UInt8, _ sort: UInt8) -> LiveEntry {
        LiveEntry(order: [sort, key], key: [key], document: ["id": .int(Int64(key))])
    }

    @Test
    func `changes taken in give what sorting all records gives, or it says that it must be read`() {
        var readings = 0
        for seed in 0..<60 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let capacity: Int? = generator.chance(1, in: 3) ? nil : generator.below(10)
            /// The sort byte of each record that matches.
            var model: [UInt8: UInt8] = [:]
            func expected() -> [LiveEntry] {
                let all = model.map { Self.entry($0.key, $0.value) }
                    .sorted { $0.order.lexicographicallyPrecedes($1.order) }
                return Array(all.prefix(capacity ?? all.count))
            }
            func change() -> (key: [UInt8], entry: LiveEntry?) {
                let key = UInt8(generator.below(25))
                model[key] = generator.chance(2, in: 3) ? UInt8(generator.below(20)) : nil
                return ([key], model[key].map { Self.entry(key, $0) })
            }
            for _ in 0..<generator.below(20) { _ = change() }
            var result = LiveResult(expected(), capacity: capacity)
            for step in 0..<40 {
                var changes: [[UInt8]: LiveEntry?] = [:]
                for _ in 0..<(1 + generator.below(4)) {
                    let (key, entry) = change()
                    changes.updateValue(entry, forKey: key)
                }
                if result.apply(changes.map { ($0.key, $0.value) }) {
                    let orders = expected().map(\.order)
                    #expect(result.entries.map(\.order) == orders, "seed \(seed), step \(step)")
                } else {
                    readings += 1
                    result = LiveResult(expected(), capacity: capacity)
                }
                for key in UInt8(0)..<25 {
                    let isThere = result.entries.contains { $0.key == [key] }
                    #expect(result.contains([key]) == isThere, "seed \(seed), step \(step)")
                }
            }
        }
        #expect((1..<1_200).contains(readings), "some changes need a reading, most don't")
    }

    @Test func `a result without room takes nothing in and needs no reading`() {
        var result = LiveResult([], capacity: 0)
        #expect(!result.reaches([0]))
        let isKnown = result.apply([([1], Self.entry(1, 1))])
        #expect(isKnown)
        #expect(result.entries.isEmpty)
    }
}
