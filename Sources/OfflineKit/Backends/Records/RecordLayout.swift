// What a store is in the collections of a record backend:
//
//     collection   key                                    record
//     store        0                                      varints: layout, application version, next sequence
//     store        1, collection's number                 varint count of indexes, their numbers; the definition
//     store        2, collection's number, position       a name of its dictionary
//     records_3    a record's key                         its sequence (8 bytes, little-endian), then the record
//
// Numbers in keys are 4 bytes, big-endian. Index entries aren't kept: they are derived from the records when a store opens.
internal import OfflineBytes
internal import OfflineEngine

/// Encodes and decodes.
enum RecordLayout {
    static let store = "store"
    private static let version: UInt64 = 1
    static let stateKey: [UInt8] = [0]

    static func records(_ id: CollectionID) -> String { "records_\(id.value)" }

    static func definitionKey(_ id: CollectionID) -> [UInt8] { [1] + bigEndian(id.value) }

    static func nameKey(_ id: CollectionID, _ position: Int) -> [UInt8] {
        [2] + bigEndian(id.value) + bigEndian(UInt32(clamping: position))
    }

    static func state(_ state: MapState) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendVarint(version)
        bytes.appendVarint(state.version)
        bytes.appendVarint(state.nextSequence)
        return bytes
    }

    static func definition(_ collection: MapState.Collection) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendVarint(UInt64(collection.entries.count))
        for index in collection.entries.keys.sorted() { bytes.appendVarint(UInt64(index)) }
        return bytes + collection.definition
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func corrupted(_ message: String) -> OfflineError {
        OfflineError(.corrupted, "the record backend's data: \(message)")
    }
}

/// The collection `store`, as it is read.
struct RecordCatalog {
    /// Nil: nothing was ever stored.
    var state: (version: UInt64, nextSequence: UInt64)?
    private(set) var collections: [CollectionID: StoredCollection] = [:]
    private var names: [CollectionID: [UInt32: String]] = [:]

    /// Takes in one record.
    mutating func add(_ key: [UInt8], _ record: [UInt8]) throws {
        switch (key.first, key.count) {
        case (0, 1): try addState(record)
        case (1, 5): try addDefinition(CollectionID(Self.number(key, 1)), record)
        case (2, 9):
            guard let name = String(validating: record, as: UTF8.self) else {
                throw RecordLayout.corrupted("a name isn't UTF-8")
            }
            names[CollectionID(Self.number(key, 1)), default: [:]][Self.number(key, 5)] = name
        default: throw RecordLayout.corrupted("an unknown key in collection store")
        }
    }

    private static func number(_ key: [UInt8], _ offset: Int) -> UInt32 {
        key[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private mutating func addState(_ record: [UInt8]) throws {
        state = try unsafe Self.reading(record) { reader throws(ByteError) in
            let layout = unsafe try reader.varint()
            guard layout == 1 else { throw ByteError("layout \(layout) is unknown", at: 0) }
            let version = unsafe try reader.varint()
            let next = unsafe try reader.varint()
            guard (1...UInt64(Int64.max)).contains(next) else {
                throw ByteError("the next sequence is \(next)", at: 0)
            }
            return (version, next)
        }
    }

    private mutating func addDefinition(_ id: CollectionID, _ record: [UInt8]) throws {
        guard id.value > 0 else { throw RecordLayout.corrupted("a collection has number 0") }
        collections[id] = try unsafe Self.reading(record) { reader throws(ByteError) in
            var indexes: [UInt32] = []
            for _ in 0..<(unsafe try reader.count(atMost: reader.remaining)) {
                guard let index = UInt32(exactly: unsafe try reader.varint()), index > 0 else {
                    throw ByteError("an index's number is wrong", at: 0)
                }
                indexes.append(index)
            }
            let start = unsafe reader.offset
            return StoredCollection(
                id: id, definition: Array(record[start...]), indexes: indexes, names: [])
        }
    }

    private static func reading<Result>(
        _ record: [UInt8], _ body: (inout ByteReader) throws(ByteError) -> Result
    ) throws -> Result {
        try unsafe record.withBytes { bytes in
            do throws(ByteError) {
                var reader = unsafe ByteReader(bytes)
                return unsafe try body(&reader)
            } catch {
                throw RecordLayout.corrupted(error.message)
            }
        }
    }

    /// All collections with their dictionaries, ascending by number.
    func stored() throws -> [StoredCollection] {
        try collections.values.sorted { $0.id < $1.id }.map { collection in
            var collection = collection
            let known = names[collection.id] ?? [:]
            for position in 0..<UInt32(clamping: known.count) {
                guard let name = known[position] else {
                    throw RecordLayout.corrupted(
                        "the dictionary of collection \(collection.id.value) has a gap")
                }
                collection.names.append(name)
            }
            return collection
        }
    }
}
