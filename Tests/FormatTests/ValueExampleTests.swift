// The records, keys and index entries that FORMAT.md shows are what the code makes of the values
// beside them, and both readers take them back.
import Foundation
import OfflineBytes
import OfflineDocuments
import OfflineEngine
import OfflineKit
import StorageSimulation
import Testing

struct ValueExampleTests {
    /// The documents of the record examples, by the block's name, all with the same dictionary.
    private static let documents: [String: Document] = [
        "plain": ["id": 1, "tag": "blue", "size": 2.5],
        "order": ["tag": .null, "id": 300],
        "inline": [
            "id": -1, "longer than a name in a dictionary may be, which is sixty-four bytes": true,
        ],
        "nested": ["tag": ["a", ["id": 7]], "size": .data(Data([0, 255]))],
    ]
    private static let names = ["id", "tag", "size"]

    @Test func `records are encoded as shown`() throws {
        let examples = try FormatDocument.examples("hex", "record")
        #expect(Set(examples.map { $0.words[1] }) == Set(Self.documents.keys))
        for example in examples {
            let document = try #require(Self.documents[example.words[1]])
            var encoder = RecordEncoder(dictionary: NameDictionary(Self.names))
            let record = try encoder.encode(document)
            #expect(encoder.newNames.isEmpty)
            #expect(
                example.bytes == record,
                "line \(example.rows[0].line): the code writes \(FormatDocument.hex(record))"
            )
            let fields = try TinyRecord.fields(example.bytes, names: Self.names)
            #expect(TinyValue.object(fields) == TinyValue(.object(document)))
        }
    }

    @Test func `keys are encoded as shown`() throws {
        let examples = try FormatDocument.examples("bytes", "keys")
        #expect(examples.flatMap(\.rows).count >= 20)
        for row in examples.flatMap(\.rows) {
            let value = try Value(extendedJSON: Data(row.text.utf8))
            let key = KeyEncoder.key(value)
            #expect(
                row.bytes == key,
                "FORMAT.md, line \(row.line): the code writes \(FormatDocument.hex(key))")
            #expect(TinyKeys.key(TinyValue(value)) == row.bytes, "line \(row.line)")
            #expect(try KeyDecoder.value(row.bytes) == value, "line \(row.line)")
        }
    }

    @Test func `keys that are shown as refused are refused`() throws {
        let rows = try FormatDocument.examples("bytes", "no-keys").flatMap(\.rows)
        #expect(rows.count >= 5)
        for row in rows {
            #expect(throws: OfflineError.self, "FORMAT.md, line \(row.line)") {
                try KeyDecoder.value(row.bytes)
            }
        }
    }

    @Test func `a long index key is cut as shown`() throws {
        let row = try #require(try FormatDocument.examples("bytes", "cut").first?.rows.first)
        var entry = KeyEncoder.key(.string(String(repeating: "x", count: 600)))
        KeyEncoder.cut(&entry)
        entry += KeyEncoder.key(7)
        #expect(row.bytes == entry, "the code writes \(FormatDocument.hex(entry))")
        let fields = [TinyField(name: "t", value: .string(String(repeating: "x", count: 600)))]
        let index = TinyDefinition.Index(number: 1, name: "t", paths: [["t"]])
        let key = KeyEncoder.key(7)
        #expect(TinyIndexes.entries(fields, key: key, index) == [row.bytes])
        #expect(TinyIndexes.recordKey(of: row.bytes, index) == key)
    }

    /// The record of the examples of kinds, and for each block its index.
    private static let record: Document = [
        "id": 7, "name": "Straße", "tags": ["b", "B", "a", "b"],
        "parts": [["n": 2], ["n": [1, 2]], [:], 5],
    ]
    private static let menu: Document = [
        "id": 7, "title": "The café's Menu", "tags": ["THE 東京 menu"],
    ]
    private static let kinds: [(name: String, index: IndexSchema, record: Document)] = [
        (
            "case-insensitive",
            IndexSchema(name: "i", keyPath: "name", collation: .caseInsensitive), record
        ),
        ("multi-entry", IndexSchema(name: "i", keyPath: "tags", multiEntry: true), record),
        (
            "nested-multi-entry", IndexSchema(name: "i", keyPath: "parts.n", multiEntry: true),
            record
        ),
        (
            "multi-entry-case-insensitive",
            IndexSchema(
                name: "i", keyPath: "tags", multiEntry: true, collation: .caseInsensitive), record
        ),
        ("partial", IndexSchema(name: "i", keyPath: "id", where: ["name": "Straße"]), record),
        ("full-text", .fullText(name: "i", keyPaths: ["title", "tags"]), menu),
    ]

    @Test func `entries of each kind of index are those shown`() async throws {
        let examples = try FormatDocument.examples("bytes", "kind")
        #expect(Set(examples.map { $0.words[1] }) == Set(Self.kinds.map(\.name)))
        for (name, index, record) in Self.kinds {
            let example = try #require(examples.first { $0.words[1] == name })
            let system = SimulatedFileSystem()
            // Of the indexes of one store, the second has nothing of the record.
            let other = IndexSchema(name: "no", keyPath: "id", where: ["name": "strasse"])
            let schema = CollectionSchema(
                name: "c", autoKey: .none, indexes: [index, other], tracksChanges: false)
            let fixture = try await FormatStoreFixture(system, [schema])
            try await fixture.store.create("c", record)
            // From the log, by the tiny reader's derivation; then from the trees, by the store's.
            let replayed = try #require(try TinyReader(FormatStoreFixture.files(system.killed())))
            #expect(replayed.entries(1, index: 1) == example.rows.map(\.bytes), "\(name)")
            try await fixture.store.close()
            let stored = try #require(try TinyReader(FormatStoreFixture.files(system)))
            #expect(stored.replayedFrames == 0)
            #expect(stored.entries(1, index: 1) == example.rows.map(\.bytes), "\(name)")
            #expect(stored.entries(1, index: 2) == [], "\(name)")
        }
    }

    @Test func `index entries are those of the example store`() async throws {
        let store = try await ExampleStore.notes()
        let names = store.system.filePaths.map { String($0.dropFirst(store.folder.count + 1)) }
        let files = try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try store.bytes(of: $0)) })
        let reader = try #require(try TinyReader(files))
        let rows = try FormatDocument.examples("bytes", "entries").flatMap(\.rows)
        #expect(rows.map(\.bytes) == reader.entries(1, index: 1))
    }

    @Test func `a deflated record is read as shown`() throws {
        let rows = try FormatDocument.examples("bytes", "deflated").flatMap(\.rows)
        let (dictionary, payload) = (rows[0].bytes, rows.dropFirst().flatMap(\.bytes))
        let record = Array("the river left what winter carried".utf8)
        let read = try unsafe payload.withUnsafeBytes { payload in
            let deflated = try unsafe DeflatedRecord(payload)
            #expect(deflated.length == 34 && deflated.dictionaryDistance == 80)
            var buffer = InflateBuffer()
            return try unsafe dictionary.withUnsafeBytes {
                unsafe [UInt8](try deflated.inflate(payload, dictionary: $0, into: &buffer))
            }
        }
        #expect(read == record)
        let tiny = try TinyInflate.record(
            Array(payload.dropFirst(2)), length: 34, dictionary: dictionary)
        #expect(tiny == record)
    }

    @Test func `the tiny reader inflates what zlib deflates`() throws {
        var random = SeededRandom(seed: 21)
        for count in [1_100, 3_000, 70_000, 300_000] {
            for span in [2, 10, 60] {
                let record = (0..<count).map { _ in UInt8(random.below(span)) }
                let payload = try #require(
                    unsafe record.withUnsafeBytes { unsafe DeflatedRecord.payload($0) })
                var cursor = try TinyCursor(payload)
                #expect(try cursor.varint() == UInt64(count))
                #expect(try cursor.varint() == 0)
                let deflated = try cursor.take(payload.count - cursor.offset)
                let inflated = try TinyInflate.record(deflated, length: count, dictionary: [])
                #expect(inflated == record, "\(count) bytes of \(span)")
            }
        }
    }

    @Test func `the checksum is the one that the document names`() {
        #expect(TinyChecksum.sum("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }
}

extension TinyValue {
    /// What the store's own reader has, in the tiny reader's terms: equal only where every bit and
    /// the order of fields are.
    init(_ value: Value) {
        switch value {
        case .null: self = .null
        case .bool(let bool): self = .bool(bool)
        case .int(let int): self = .int(int)
        case .double(let double): self = .double(double.bitPattern)
        case .date(let date): self = .date(date.timeIntervalSinceReferenceDate.bitPattern)
        case .string(let text): self = .string(text)
        case .data(let data): self = .data(Array(data))
        case .array(let elements): self = .array(elements.map { TinyValue($0) })
        case .object(let document):
            self = .object(document.map { TinyField(name: $0.name, value: TinyValue($0.value)) })
        }
    }
}
