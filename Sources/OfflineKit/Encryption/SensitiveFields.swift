// Which fields of a collection are sensitive, and what else of its schema may be about them.
//
// A field that was sensitive once stays so: records may have it sealed still.
import OfflineDocuments

/// The rules for sensitive fields: `.invalidOptions` where one is broken.
enum SensitiveFields {
    /// Gives the schema all its sensitive fields: its own, `stored` ones, and the whole store's. `encryption`: the options';
    /// nil: only what is stored counts.
    static func settle(
        _ schema: inout CollectionSchema, _ stored: [String], _ encryption: EncryptionOptions?
    ) throws(OfflineError) {
        var names = stored
        if let encryption {
            if !encryption.isEnabled, !schema.sensitiveFields.isEmpty {
                throw invalid(schema, "sensitiveFields needs encryption, which is disabled")
            }
            if encryption.isEnabled { names += encryption.sensitiveFields }
            names += schema.sensitiveFields
        }
        schema.sensitiveFields = Set(names).sorted()
        try check(schema, Set(encryption?.unsearchableFields ?? []))
    }

    private static func check(
        _ schema: CollectionSchema, _ unsearchable: Set<String>
    ) throws(OfflineError) {
        var paths: [FieldPath] = []
        for name in schema.sensitiveFields {
            let path: FieldPath
            do throws(OfflineError) { path = try FieldPath(name) } catch {
                throw invalid(schema, "sensitiveFields: \(error.message)")
            }
            if path.components.contains(where: { $0.position != nil }) {
                throw invalid(
                    schema, "sensitiveFields \"\(name)\": a position in an array can't be sensitive"
                )
            }
            if let other = paths.first(where: { $0.overlaps(path) }) {
                throw invalid(schema, "sensitiveFields \"\(other.text)\" has \"\(name)\" in it")
            }
            paths.append(path)
        }
        func sensitive(_ text: String) throws(OfflineError) -> FieldPath? {
            let path = try FieldPath(text)
            return paths.first { $0.overlaps(path) }
        }
        for path in schema.keyPaths where try sensitive(path) != nil {
            throw invalid(schema, "keyPath \"\(path)\" is sensitive, and keys are never sealed")
        }
        for relationship in schema.relationships
        where try sensitive(relationship.foreignKey) != nil {
            throw invalid(
                schema, "relationship \"\(relationship.name)\": foreignKey is a sensitive field")
        }
        for rule in schema.accessPolicy?.rules ?? [] {
            for path in try IndexState.condition(rule.filter).paths
            where try sensitive(path.text) != nil {
                throw invalid(
                    schema,
                    "accessPolicy: a rule's filter names the sensitive field \"\(path.text)\"")
            }
        }
        for index in schema.indexes {
            let name = "index \"\(index.name)\""
            if let filter = index.filter {
                for path in try IndexState.condition(filter).paths
                where try sensitive(path.text) != nil {
                    throw invalid(schema, "\(name): its filter names a sensitive field")
                }
            }
            for path in index.keyPaths {
                guard let found = try sensitive(path) else { continue }
                if index.isMultiEntry || index.kind != .ordered || index.collation != .binary {
                    throw invalid(
                        schema,
                        "\(name): of the sensitive field \"\(path)\" an index has tokens, so it "
                            + "can't be full-text, multi-entry or case-insensitive")
                }
                if found.text != path || unsearchable.contains(path) {
                    throw invalid(
                        schema,
                        "\(name): \"\(path)\" has no token of its own, so no index can serve it")
                }
            }
        }
    }

    private static func invalid(_ schema: CollectionSchema, _ problem: String) -> OfflineError {
        OfflineError(
            .invalidOptions, "collection \"\(schema.name)\": \(problem)", collection: schema.name)
    }
}

extension FieldPath {
    /// Whether one is the other, or leads into it. This one has names only; a number in the other one may be a position in an array.
    func overlaps(_ other: FieldPath) -> Bool {
        var rest = components[...]
        for component in other.components {
            guard let next = rest.first else { return true }
            if next.name.hasSameUTF8(as: component.name) {
                rest.removeFirst()
            } else if component.position == nil {
                return false
            }
        }
        return true
    }
}
