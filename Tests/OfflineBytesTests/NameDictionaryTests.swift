import OfflineBytes
import StorageSimulation
import Testing

@Suite struct NameDictionaryTests {
    @Test func `an id is a name's position`() {
        let dictionary = NameDictionary(["id", "name", "", "age"])
        #expect(dictionary.count == 4)
        for (index, name) in ["id", "name", "", "age"].enumerated() {
            #expect(dictionary.id(of: name) == UInt16(index))
            #expect(dictionary.name(of: UInt16(index)) == name)
        }
        #expect(dictionary.id(of: "Name") == nil)
        #expect(dictionary.name(of: 4) == nil)
        #expect(dictionary.name(of: .max) == nil)
    }

    @Test func `names equal for Swift but not by bytes have ids of their own`() {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        #expect(composed == decomposed)
        for names in [[composed, decomposed], [decomposed, composed]] {
            let dictionary = NameDictionary(names)
            for (index, name) in names.enumerated() {
                #expect(dictionary.id(of: name) == UInt16(index))
                let found = dictionary.name(of: UInt16(index)) ?? ""
                #expect(found.utf8.elementsEqual(name.utf8))
            }
        }
        #expect(NameDictionary([composed]).id(of: decomposed) == nil)
    }

    @Test func `growth keeps ids and leaves the older dictionary alone`() {
        let first = NameDictionary.empty
        let second = first.appending(["a", "b"])
        let third = second.appending(["c"])
        let other = second.appending(["d"])
        #expect(first.count == 0 && first.id(of: "a") == nil)
        #expect(second.id(of: "c") == nil)
        #expect(third.id(of: "b") == 1 && third.id(of: "c") == 2)
        // The id of a name that was rolled back is given out again.
        #expect(other.id(of: "d") == 2 && other.id(of: "c") == nil)
    }

    @Test func `names from a file are those that a writer gives out`() throws {
        let known = NameDictionary(["a", "b"])
        #expect(known.appending(stored: ["c", "d"])?.names == ["a", "b", "c", "d"])
        #expect(known.appending(stored: []) != nil)
        #expect(known.appending(stored: ["c", "b"]) == nil)
        #expect(known.appending(stored: ["c", "c"]) == nil)
        let longest = String(repeating: "x", count: NameDictionary.nameBytesMax)
        #expect(known.appending(stored: [longest]) != nil)
        #expect(known.appending(stored: [longest + "x"]) == nil)
        let many = (0..<NameDictionary.countMax - 2).map { "name \($0)" }
        #expect(known.appending(stored: many) != nil)
        #expect(known.appending(stored: many + ["one more"]) == nil)
    }

    @Test func `a full dictionary finds each of its names`() {
        var random = SeededRandom(seed: 1)
        let names = (0..<NameDictionary.countMax).map { "field\($0)-\(random.below(1000))" }
        let dictionary = NameDictionary(names)
        #expect(names.indices.allSatisfy { dictionary.id(of: names[$0]) == UInt16($0) })
        #expect(dictionary.name(of: UInt16(NameDictionary.countMax)) == nil)
    }
}
