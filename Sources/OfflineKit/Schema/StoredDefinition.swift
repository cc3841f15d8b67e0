// A collection's definition as it is stored: what the store must know to read and index the
// collection's records without the application's options. One JSON object, so that `offline dump`
// shows it as it is:
//
//     {"version": 1, "derivation": 1, "name": "users", "keyPaths": ["id"], "autoKey": "uuid-v7",
//      "nextIndex": 3,
//      "indexes": [{"number": 1, "name": "email", "keyPaths": ["email"], "unique": true,
//      "collation": "case-insensitive"}, {"number": 2, "name": "open", "keyPaths": ["due"],
//      "unique": false, "where": {"status": "open"}}],
//      "relationships": [{"name": "orders", "collection": "orders", "type": "one-to-many",
//      "foreignKey": "user_id"}], "tracksChanges": true, "validation": {"required": ["email"]}}
//
// - version: of this layout. A greater one is `.unsupportedFormat`.
// - derivation: of the rules by which index entries follow from records (Indexes/IndexKeys), the
//   Unicode tables among them. A store with another one has its indexes built anew.
// - tracksChanges: where it is true.
// - sensitiveFields: those that were ever sensitive, of the collection or of the whole store, where there are any.
// - unsealed: where it is true, because a field became sensitive and records may have it unsealed still (StoreOpening+Sealing).
// - evictionPolicy: the schema's own, and runTimePolicy: the one that was set by setEvictionPolicy, which counts instead; both as
//   EvictionPolicy.document.
// - validation: the JSON Schema that records must fulfil, where there is one, as extended JSON.
// - nextIndex: the number of the next index to be made; numbers are never used again.
// - multiEntry, collation, where, type: where they aren't the default. A filter is extended JSON,
//   which loses nothing, so that it equals the one it came from.
internal import Foundation

/// A collection's stored definition.
struct StoredDefinition: Hashable, Sendable {
    /// The newest layout.
    static let version = 1
    /// The rules in IndexKeys, and the tables CaseFoldingTable and WordTable.
    static let derivation = 1

    var derivation = Self.derivation
    /// All of it, but that whether it tracks changes is never nil here, and that an access policy, which is the application's, isn't
    /// stored.
    var schema: CollectionSchema
    /// Records may have sensitive fields that aren't sealed.
    var isUnsealed = false
    /// What `setEvictionPolicy` has set instead of the schema's.
    var runTimePolicy: EvictionPolicy?
    /// The collection's own policy.
    var policy: EvictionPolicy? { runTimePolicy ?? schema.evictionPolicy }
    /// The indexes' numbers, in the order of `schema.indexes`.
    var indexNumbers: [UInt32]
    var nextIndex: UInt32

    /// The definition of a new collection.
    init(_ schema: CollectionSchema) {
        self.schema = schema
        self.schema.tracksChanges = schema.isTracking
        self.schema.accessPolicy = nil
        indexNumbers = schema.indexes.indices.map { UInt32($0) + 1 }
        nextIndex = UInt32(schema.indexes.count) + 1
    }

    /// The collection as the store works with it; `settings`: nil where these don't matter.
    func state(
        id: CollectionID, _ settings: CollectionSettings? = nil, _ vault: FieldVault? = nil
    ) throws(OfflineError) -> CollectionState {
        do throws(OfflineError) {
            return try CollectionState(
                id: id, schema: schema, indexNumbers: indexNumbers,
                settings: settings ?? CollectionSettings(), vault: vault)
        } catch {
            throw OfflineError(
                .corrupted, "a collection's stored definition: \(error.message)",
                collection: schema.name)
        }
    }

    /// The definition with another schema: an index that is in both as it is keeps its number, all
    /// others get new ones. `tracks`: whether changes are tracked; nil: as the schema says.
    func changed(
        to schema: CollectionSchema, runTimePolicy: EvictionPolicy? = nil, tracks: Bool? = nil
    ) -> StoredDefinition {
        var result = self
        result.schema = schema
        result.runTimePolicy = runTimePolicy
        result.schema.tracksChanges = tracks ?? schema.isTracking
        result.schema.accessPolicy = nil
        result.derivation = Self.derivation
        result.indexNumbers = schema.indexes.map { index in
            if derivation == Self.derivation,
                let kept = self.schema.indexes.firstIndex(of: index)
            {
                return indexNumbers[kept]
            }
            defer { result.nextIndex += 1 }
            return result.nextIndex
        }
        return result
    }
}

// MARK: - Bytes

extension StoredDefinition {
    /// The stored form.
    var bytes: [UInt8] {
        let indexes = zip(schema.indexes, indexNumbers).map { index, number -> Value in
            .object(Self.document(index, number))
        }
        let relationships = schema.relationships.map { relationship -> Value in
            var document: Document = [
                "name": .string(relationship.name),
                "collection": .string(relationship.collection),
                "type": .string(relationship.type.rawValue),
                "foreignKey": .string(relationship.foreignKey),
            ]
            if relationship.onDelete != .none {
                document["onDelete"] = .string(relationship.onDelete.rawValue)
            }
            return .object(document)
        }
        var document: Document = [
            "version": .int(Int64(Self.version)), "derivation": .int(Int64(derivation)),
            "name": .string(schema.name),
            "keyPaths": .array(schema.keyPaths.map { .string($0) }),
            "autoKey": .string(schema.autoKey.name), "nextIndex": .int(Int64(nextIndex)),
            "indexes": .array(indexes), "relationships": .array(relationships),
        ]
        if schema.isTracking { document["tracksChanges"] = true }
        if !schema.sensitiveFields.isEmpty {
            document["sensitiveFields"] = .array(schema.sensitiveFields.map { .string($0) })
        }
        if isUnsealed { document["unsealed"] = true }
        if let validation = schema.validation { document["validation"] = .object(validation) }
        if let policy = schema.evictionPolicy {
            document["evictionPolicy"] = .object(policy.document)
        }
        if let runTimePolicy { document["runTimePolicy"] = .object(runTimePolicy.document) }
        return Array(document.extendedJSON().utf8)
    }

    /// Reads the stored form. Throws `.unsupportedFormat` for a newer version, `.corrupted` for
    /// anything else than a definition.
    init(_ bytes: [UInt8]) throws {
        do {
            try self.init(parsing: Document(extendedJSON: Data(bytes)))
        } catch let error as OfflineError where error.code == .unsupportedFormat {
            throw error
        } catch {
            throw OfflineError(.corrupted, "a collection's stored definition: \(error)")
        }
    }

    private init(parsing document: Document) throws {
        var fields = OptionFields(document, of: "definition")
        try Self.checkVersion(&fields)
        derivation = try fields.positive("derivation") ?? 0
        schema = CollectionSchema(
            name: try fields.string("name"), keyPaths: try fields.strings("keyPaths") ?? [])
        let autoKey = try fields.string("autoKey")
        guard let known = AutoKey(named: autoKey) else { throw fields.wrong("autoKey", autoKey) }
        schema.autoKey = known
        schema.tracksChanges = try fields.flag("tracksChanges") ?? false
        schema.sensitiveFields = try fields.strings("sensitiveFields") ?? []
        isUnsealed = try fields.flag("unsealed") ?? false
        schema.evictionPolicy = try fields.object("evictionPolicy").map { try EvictionPolicy($0) }
        runTimePolicy = try fields.object("runTimePolicy").map { try EvictionPolicy($0) }
        schema.validation = try fields.object("validation")
        nextIndex = try Self.number(try fields.positive("nextIndex"), fields)
        indexNumbers = []
        for document in try fields.objects("indexes") ?? [] {
            let (index, number) = try Self.index(document)
            schema.indexes.append(index)
            indexNumbers.append(number)
        }
        for document in try fields.objects("relationships") ?? [] {
            schema.relationships.append(try Self.relationship(document))
        }
        try fields.finish()
        let paths = [schema.keyPaths] + schema.indexes.map(\.keyPaths)
        guard paths.allSatisfy({ 1...IndexKeys.pathCountMax ~= $0.count }),
            Set(indexNumbers).count == indexNumbers.count,
            indexNumbers.allSatisfy({ $0 < nextIndex }),
            schema.indexes.allSatisfy({ $0.contradiction == nil })
        else { throw fields.wrong("indexes", "and keyPaths contradict each other") }
    }

    /// Throws `.unsupportedFormat` for a definition in a layout that this build doesn't know.
    static func checkVersion(_ fields: inout OptionFields) throws {
        let version = try fields.positive("version") ?? 0
        guard version <= Self.version else {
            throw OfflineError(
                .unsupportedFormat,
                "a collection's definition has version \(version); this build knows "
                    + "\(Self.version)")
        }
    }

    private static func document(_ index: IndexSchema, _ number: UInt32) -> Document {
        var document: Document = [
            "number": .int(Int64(number)), "name": .string(index.name),
            "keyPaths": .array(index.keyPaths.map { .string($0) }),
            "unique": .bool(index.isUnique),
        ]
        if index.isMultiEntry { document["multiEntry"] = true }
        if index.collation != .binary { document["collation"] = .string(index.collation.name) }
        if let filter = index.filter { document["where"] = .object(filter.document) }
        if index.kind != .ordered { document["type"] = .string(index.kind.name) }
        return document
    }

    private static func index(
        _ document: Document
    ) throws -> (schema: IndexSchema, number: UInt32) {
        var fields = OptionFields(document, of: "index")
        var index = IndexSchema(name: try fields.string("name"), keyPath: "")
        index.keyPaths = try fields.strings("keyPaths") ?? []
        index.isUnique = try fields.flag("unique") ?? false
        index.isMultiEntry = try fields.flag("multiEntry") ?? false
        index.collation = try fields.collation()
        index.filter = try fields.object("where").map(Filter.init)
        index.kind = try fields.indexKind()
        let number = try number(try fields.positive("number"), fields)
        try fields.finish()
        return (index, number)
    }

    private static func relationship(_ document: Document) throws -> RelationshipSchema {
        var fields = OptionFields(document, of: "relationship")
        let type = try fields.string("type")
        guard let kind = RelationshipSchema.Kind(rawValue: type) else {
            throw fields.wrong("type", type)
        }
        let ruleName = try fields.optionalString("onDelete") ?? "none"
        guard let rule = RelationshipSchema.DeleteRule(rawValue: ruleName) else {
            throw fields.wrong("onDelete", ruleName)
        }
        let relationship = RelationshipSchema(
            name: try fields.string("name"), collection: try fields.string("collection"),
            type: kind, foreignKey: try fields.string("foreignKey"), onDelete: rule)
        try fields.finish()
        return relationship
    }

    private static func number(_ value: Int?, _ fields: OptionFields) throws -> UInt32 {
        guard let value, let number = UInt32(exactly: value), number < .max else {
            throw fields.wrong("number", "is missing or out of range")
        }
        return number
    }
}
