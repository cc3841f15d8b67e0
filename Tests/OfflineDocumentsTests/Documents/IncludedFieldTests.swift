import OfflineBytes
import Testing

@testable import OfflineDocuments

/// What a query includes in a document is seen, and never stored.
struct IncludedFieldTests {
    private func stored(_ document: Document) throws -> Document {
        var encoder = RecordEncoder(dictionary: NameDictionary(["orders", "name"]))
        let bytes = try encoder.encode(document)
        return Document(record: bytes, names: encoder.dictionary)
    }

    private let own: [Document] = [["name": "Ada", "orders": 5, "age": 36], ["name": "Ada"]]

    @Test func `an included field is read, counted, listed and compared like any other`() throws {
        for plain in own {
            for base in [plain, try stored(plain)] {
                var document = base
                document.include([["id": 1]], as: "orders")
                document.include(.null, as: "boss")
                var expected = plain
                expected["orders"] = [["id": 1]]
                expected["boss"] = .null
                #expect(document == expected && expected == document)
                #expect(document.hashValue == expected.hashValue)
                #expect(document.count == expected.count)
                #expect(document.fieldNames == expected.fieldNames)
                #expect(document.json() == expected.json())
                #expect(document["orders"]?[0]?["id"] == 1)
                #expect(document.value(at: "orders.0.id") == 1)
                #expect(document.map(\.name) == expected.fieldNames)
            }
        }
    }

    @Test func `encoding sees the document's own fields only`() throws {
        for plain in own {
            for base in [plain, try stored(plain)] {
                var document = base
                document.include([["id": 1]], as: "orders")
                #expect(document.withoutIncludes == plain)
                #expect(try stored(document) == plain)
                #expect(DocumentMerge.merge(document, into: ["id": 7]).json().contains("id"))
                let merged = DocumentMerge.merge(document, into: ["orders": 9])
                #expect(merged["orders"] == (plain["orders"] ?? 9))
            }
        }
    }

    @Test func `a name that is assigned to is the document's own again`() throws {
        var document: Document = ["name": "Ada", "orders": 5]
        document.include([1, 2], as: "orders")
        document.include("x", as: "boss")
        document["name"] = "Eve"
        #expect(try stored(document) == ["name": "Eve", "orders": 5])
        document["orders"] = 6
        #expect(document["orders"] == 6)
        #expect(try stored(document) == ["name": "Eve", "orders": 6])
        document["boss"] = nil
        #expect(document == ["name": "Eve", "orders": 6])
        document.include([1], as: "orders")
        document["orders"] = nil
        #expect(document == ["name": "Eve"])
    }

    @Test func `a name that is included twice shows what came last`() {
        var document: Document = ["name": "Ada"]
        document.include(1, as: "orders")
        document.include(2, as: "orders")
        #expect(document == ["name": "Ada", "orders": 2])
    }

    @Test func `a record that is read in place is copied whole`() throws {
        for plain in own + [[:]] {
            var encoder = RecordEncoder(dictionary: .empty)
            let bytes = try encoder.encode(plain)
            let names = encoder.dictionary
            let copy = withExtendedLifetime(names) {
                unsafe bytes.withUnsafeBytes {
                    unsafe Document(copying: RecordView($0, names: names))
                }
            }
            #expect(copy == plain && copy.fieldNames == plain.fieldNames)
        }
    }
}
