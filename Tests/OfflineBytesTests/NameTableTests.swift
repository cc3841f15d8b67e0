import Testing

@testable import OfflineBytes

/// The table behind a dictionary: names by their bytes, whatever their length and number.
struct NameTableTests {
    @Test
    func `names of all lengths are found by their bytes`() {
        var names: [String] = []
        for length in 0...100 {
            // Names that differ in one byte only, wherever it is.
            names.append(String(repeating: "x", count: length))
            for place in 0..<length {
                names.append(
                    String(repeating: "x", count: place) + "y"
                        + String(repeating: "x", count: length - place - 1))
            }
        }
        let dictionary = NameDictionary(names)
        #expect(names.indices.allSatisfy { dictionary.id(of: names[$0]) == UInt16($0) })
        #expect(dictionary.id(of: "z") == nil)
    }

    @Test
    func `of a name that comes twice the first is found`() {
        let dictionary = NameDictionary(["a", "b", "a"])
        #expect(dictionary.id(of: "a") == 0)
        #expect(dictionary.name(of: 2) == "a")
    }

    @Test
    func `one is the beginning of another only where all ids mean the same`() {
        let base = NameDictionary(["ab", "c"])
        #expect(base.isPrefix(of: base))
        #expect(base.isPrefix(of: base.appending(["d"])))
        #expect(NameDictionary.empty.isPrefix(of: base))
        #expect(!base.appending(["d"]).isPrefix(of: base))
        #expect(!base.isPrefix(of: NameDictionary(["a", "bc", "d"])))
        #expect(!base.isPrefix(of: NameDictionary(["ab", "d", "c"])))
        #expect(base.isPrefix(of: NameDictionary(["ab", "c"])))
    }

    @Test
    func `more names than can have ids do no harm`() {
        let names = (0..<70_000).map { "n\($0)" }
        let dictionary = NameDictionary(names)
        #expect(dictionary.count == 70_000)
        #expect(dictionary.id(of: "n65534") == 65_534)
        #expect(dictionary.id(of: "n65535") == nil)
        #expect(dictionary.id(of: "n69999") == nil)
    }
}
