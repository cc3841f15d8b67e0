import OfflineBytes
import Testing

@testable import OfflineKit

struct PersistentMapTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `random changes agree with a sorted dictionary`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var map = PersistentMap()
        var model: [[UInt8]: [UInt8]] = [:]
        for step in 0..<600 {
            let key = [UInt8(random.below(4)), UInt8(random.below(60))]
            if random.chance(2, in: 5) {
                #expect(map.remove(key) == (model.removeValue(forKey: key) != nil))
            } else {
                let value = [UInt8(random.below(256))]
                #expect(map.insert(key, value) == (model.updateValue(value, forKey: key) == nil))
            }
            #expect(map.problem() == nil, "seed \(seed), step \(step)")
            #expect(map.count == model.count)
        }
        let keys = model.keys.sorted { ByteOrder.compare($0, $1) < 0 }
        for (position, key) in keys.enumerated() {
            #expect(map.entry(at: position)?.key == key, "seed \(seed)")
            #expect(map.value(of: key) == model[key])
            #expect(map.rank(of: key) == position)
        }
        #expect(map.entry(at: keys.count) == nil)
        #expect(map.value(of: [9]) == nil)
    }

    @Test func `a copy doesn't see later changes`() {
        var map = PersistentMap()
        for byte in UInt8(0)..<100 { map.insert([byte], [byte]) }
        let copy = map
        for byte in UInt8(0)..<100 where byte % 2 == 0 { map.remove([byte]) }
        #expect(copy.count == 100)
        #expect(map.count == 50)
        #expect(copy.value(of: [4]) == [4])
        #expect(map.value(of: [4]) == nil)
    }

    @Test func `ascending, descending and repeated insertion stay balanced`() {
        for keys in [Array(UInt8(0)...255), Array((UInt8(0)...255).reversed())] {
            var map = PersistentMap()
            for key in keys + keys { map.insert([key]) }
            #expect(map.count == 256)
            #expect(map.problem() == nil)
        }
    }

    @Test func `positions of a range whose ends are swapped are empty`() {
        var map = PersistentMap()
        for byte in UInt8(0)..<10 { map.insert([byte]) }
        #expect(map.positions(of: KeyRange(lower: [7], upper: [3])).isEmpty)
        #expect(map.positions(of: KeyRange(lower: [3], upper: [7])) == 3..<7)
        #expect(map.positions(of: .all) == 0..<10)
    }
}
