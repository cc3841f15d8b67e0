// `include`: records of other collections, put into a result under the relationship's name.
//
// While the result's records are read, the keys that they refer to are noted; then each include is resolved for all of them at
// once: records that are referred to by key are sought in one ascending pass over the distinct keys, records that refer to
// ours are found by one query on the other collection. N parents cost one look-up, not N.
//
// Which side has the foreign key: many-to-one and many-to-many, ours; one-to-many, theirs; one-to-one, ours where our record
// has a value there, else theirs.
internal import OfflineBytes
import OfflineDocuments

/// What the records of a result refer to, in the order of the records.
struct IncludeReferences {
    /// Each record's own key.
    fileprivate var recordKeys: [[UInt8]] = []
    /// For each include, for each record, the keys at its foreign key.
    fileprivate var foreignKeys: [[[[UInt8]]]] = []
}

/// Resolves the includes of one query.
struct IncludeResolver {
    private struct Entry {
        let relationship: RelationshipSchema
        let other: CollectionState
        /// The foreign key in our records; nil where it can only be in theirs.
        let ownPath: CompiledPath?
    }
    private let view: ReadView
    private let entries: [Entry]

    /// Throws `.unknownRelationship`, and what the other collection's own state gives: it may be outside a transaction.
    init(_ view: ReadView, _ collection: CollectionState, _ include: [String]) throws {
        self.view = view
        let names = view.names(of: collection).dictionary
        entries = try include.map { name in
            let relationship = try collection.relationship(name)
            let isOwn = relationship.type != .oneToMany
            let path = try isOwn ? FieldPath(relationship.foreignKey) : nil
            return Entry(
                relationship: relationship, other: try view.collection(relationship.collection),
                ownPath: path?.compiled(in: names))
        }
    }

    /// Notes what the record refers to.
    @unsafe
    func note(_ key: [UInt8], _ record: RecordView, _ references: inout IncludeReferences) {
        if entries.isEmpty { return }
        references.recordKeys.append(key)
        if references.foreignKeys.isEmpty {
            references.foreignKeys = Array(repeating: [], count: entries.count)
        }
        for (index, entry) in entries.enumerated() {
            let keys = entry.ownPath.map { path in
                unsafe Self.keys(at: path, record, compound: entry.other.singleKeyPath == nil)
            }
            references.foreignKeys[index].append(keys ?? [])
        }
    }

    /// The encoded values at a foreign key that may be a record's key, as they come.
    @unsafe
    private static func keys(
        at path: CompiledPath, _ record: RecordView, compound: Bool
    ) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        func append(_ value: EncodedValue) {
            guard unsafe value.kind != .null, unsafe (value.kind == .array) == compound else {
                return
            }
            var key: [UInt8] = []
            unsafe KeyEncoder.append(value, record.names, to: &key)
            if key.count <= KeyLayout.recordKeyBytesMax { keys.append(key) }
        }
        unsafe record.root.visit(path) { value, isElement in
            guard let value = unsafe value else { return true }
            unsafe append(value)
            if !isElement, unsafe value.kind == .array {
                for index in 0..<(unsafe value.count) { unsafe append(value.element(index)) }
            }
            return true
        }
        return keys
    }

    // MARK: Resolving

    /// The documents, each with what it includes; in the order in which their records were noted.
    func attach(_ references: IncludeReferences, to documents: [Document]) throws -> [Document] {
        if entries.isEmpty || documents.isEmpty { return documents }
        var documents = documents
        for (index, entry) in entries.enumerated() {
            let related = try related(entry, references, references.foreignKeys[index])
            for record in documents.indices {
                let value = Self.value(entry.relationship.type, related[record])
                documents[record].include(value, as: entry.relationship.name)
            }
        }
        return documents
    }

    private static func value(_ type: RelationshipSchema.Kind, _ related: [Document]) -> Value {
        switch type {
        case .oneToOne, .manyToOne: related.first.map(Value.object) ?? .null
        case .oneToMany, .manyToMany: .array(related.map(Value.object))
        }
    }

    /// For each record, the related ones: to-many in key order.
    private func related(
        _ entry: Entry, _ references: IncludeReferences, _ foreignKeys: [[[UInt8]]]
    ) throws -> [[Document]] {
        switch entry.relationship.type {
        case .manyToOne:
            return try referredTo(entry, foreignKeys)
        case .manyToMany:
            return try referredTo(entry, foreignKeys.map(KeyBounds.distinct))
        case .oneToMany:
            return try referring(entry, references.recordKeys, references.recordKeys.indices)
        case .oneToOne:
            var related = try referredTo(entry, foreignKeys)
            let others = foreignKeys.indices.filter { foreignKeys[$0].isEmpty }
            let found = try referring(entry, references.recordKeys, others)
            for index in others { related[index] = found[index] }
            return related
        }
    }

    /// For each of our records, theirs with these keys.
    private func referredTo(
        _ entry: Entry, _ foreignKeys: [[[UInt8]]]
    ) throws -> [[Document]] {
        var found: [[UInt8]: Document] = [:]
        let names = view.names(of: entry.other).dictionary
        for key in KeyBounds.distinct(foreignKeys.flatMap { $0 }) {
            found[key] = try unsafe view.adapter.withRecord(
                of: entry.other, key: key, names: names
            ) { unsafe Document(copying: $0) }
        }
        return foreignKeys.map { keys in keys.compactMap { found[$0] } }
    }

    /// For each of our records at `indices`, theirs whose foreign key is its key; none for the others.
    private func referring(
        _ entry: Entry, _ recordKeys: [[UInt8]], _ indices: some Sequence<Int>
    ) throws -> [[Document]] {
        var result: [[Document]] = Array(repeating: [], count: recordKeys.count)
        var owners: [[UInt8]: Int] = [:]
        for index in indices { owners[recordKeys[index]] = index }
        if owners.isEmpty { return result }
        let path = try FieldPath(entry.relationship.foreignKey)
        let values = try owners.keys.map { try KeyDecoder.value($0) }
        let condition = Condition.test(path, .isOneOf(values))
        let plan = try Planner(
            view: view, collection: entry.other, condition: condition, sort: [],
            goal: .records(needed: nil)
        ).plan()
        let run = QueryRun(view, entry.other, plan.access, condition)
        let foreignKey = path.compiled(in: run.names)
        let isCompound = recordKeys.first.map(Self.isCompound) ?? false
        try unsafe run.forEachMatch { _, record in
            let document = unsafe Document(copying: record)
            let keys = unsafe Self.keys(at: foreignKey, record, compound: isCompound)
            for key in KeyBounds.distinct(keys) {
                if let index = owners[key] { result[index].append(document) }
            }
            return true
        }
        return result
    }

    private static func isCompound(_ key: [UInt8]) -> Bool {
        key.first == KeyLayout.typeRange(of: .array([])).first
    }
}
