import OfflineBytes
import Testing

@testable import OfflineDocuments

/// Names that have no id: too long ones, and those beyond a full dictionary.
struct InlineNameTests {
    static let fullDictionary = NameDictionary(
        (0..<NameDictionary.countMax).map { "name\($0)" })

    @Test
    func `a name over 64 bytes is written inline and read back`() throws {
        let fits = String(repeating: "é", count: 32)
        let long = fits + "x"
        let document: Document = ["a": 1, long: 2, fits: 3, "b": 4]
        let record = try TestRecord(document)
        #expect(record.names.names == ["a", fits, "b"])
        #expect(record.document.isIdentical(to: document))
        #expect(record.document[long] == 2)
        #expect(record.document[long + "x"] == nil)
    }

    @Test
    func `the 4,097th name is written inline`() throws {
        let fields = (0...NameDictionary.countMax).map { ("name\($0)", Value.int(Int64($0))) }
        let document = Document(fields: fields)
        var encoder = RecordEncoder(dictionary: .empty)
        let record = try TestRecord(document, &encoder)
        #expect(encoder.newNames.count == NameDictionary.countMax)
        #expect(record.document.isIdentical(to: document))
        #expect(record.document["name4095"] == 4095)
        #expect(record.document["name4096"] == 4096)
        #expect(record.document["name4097"] == nil)
    }

    @Test
    func `many inline names, in any order and of any length, are found`() throws {
        var random = SeededGenerator(seed: 11)
        for count in [1, 2, 15, 16, 17, 255, 256, 257, 5000] {
            var names = (0..<count).map {
                "key\($0)" + String(repeating: "k", count: random.pick([0, 1, 70, 130]))
            }
            names.shuffle(using: &random)
            let document = Document(
                fields: names.enumerated().map { ($1, .int(Int64($0))) } + [("name7", "seven")])
            let record = try TestRecord(document, dictionary: Self.fullDictionary)
            #expect(record.names === Self.fullDictionary)
            #expect(record.document.isIdentical(to: document), "\(count)")
            for (index, name) in names.enumerated() {
                #expect(record.document[name] == .int(Int64(index)), "\(count)")
            }
            #expect(record.document["name7"] == "seven")
            #expect(record.document["name8"] == nil)
            #expect(record.document["key"] == nil)
        }
    }

    @Test
    func `canonically equivalent names are two names`() throws {
        let document: Document = ["é": 1, "e\u{301}": 2]
        #expect(document.count == 2)
        let record = try TestRecord(document)
        #expect(record.names.count == 2)
        #expect(record.document["é"] == 1)
        #expect(record.document["e\u{301}"] == 2)
    }

    @Test
    func `a name that was inline is found, and changed, when it has an id by now`() throws {
        let full = try TestRecord(["a": 1, "new": 2], dictionary: Self.fullDictionary)
        // Not what a store does, but what a dictionary that was held back and grows again amounts to.
        let grown = Self.fullDictionary.appending(["new"])
        var document = Document(record: full.bytes, names: grown)
        #expect(document["new"] == 2)
        document["a"] = 3
        let record = try TestRecord(document, dictionary: grown)
        #expect(record.document == ["a": 3, "new": 2])
        document["new"] = 4
        #expect(try TestRecord(document, dictionary: grown).document == ["a": 3, "new": 4])
    }
}
