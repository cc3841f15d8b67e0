// Whether records that are there already fulfil a schema that is new to them, or was changed.
internal import OfflineBytes
internal import OfflineDocuments

/// Holds stored records against their collections' schemas, before these are kept.
struct ValidationBuild {
    /// So many records are named.
    static let namedMax = 10

    private let adapter: StorageAdapter

    /// For the records that `reader` has.
    init(_ reader: any BackendReader) { adapter = StorageAdapter(reader) }

    /// Throws `.validationFailed`, naming records and what is wrong with each, where one breaks its collection's schema. In time
    /// linear in the collections.
    func check(_ collections: [CollectionState]) throws {
        for collection in collections {
            guard let schema = collection.validation else { continue }
            try check(schema, of: collection)
        }
    }

    private func check(_ schema: RecordSchema, of collection: CollectionState) throws {
        let names = BoundNames(of: collection, in: adapter.reader)
        var bound = (
            names: names.dictionary,
            schema: names.schema ?? BoundSchema(schema.program, in: names.dictionary)
        )
        let cursor = try adapter.cursor(
            StorageAdapter.records(of: collection), of: collection, in: .all, descending: false,
            names: names.dictionary)
        var failed = 0
        var first: Value?
        var named: [String] = []
        var key: [UInt8] = []
        while try cursor.next() {
            cursor.copyKey(into: &key)
            try unsafe cursor.withRecord { record in
                // What was opened may have names of its own.
                if unsafe record.names !== bound.names {
                    unsafe bound = (record.names, BoundSchema(schema.program, in: record.names))
                }
                let failure = try unsafe schema.failure(
                    in: record, bound.schema, key: key, trustsSealed: false)
                guard let failure else { return }
                failed += 1
                guard failed <= ValidationBuild.namedMax else { return }
                let value = try KeyDecoder.value(key)
                first = first ?? value
                named.append("key \(value.json()): \(schema.message(failure))")
            }
        }
        guard failed > 0 else { return }
        let more = failed > named.count ? "; and \(failed - named.count) more" : ""
        throw OfflineError(
            .validationFailed,
            "\(failed) of the collection's records break its schema, which is new to them; change them "
                + "first, or the schema: \(named.joined(separator: "; "))\(more)",
            collection: collection.name, key: first)
    }
}
