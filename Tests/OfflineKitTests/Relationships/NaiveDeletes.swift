// What deletes do by the rules of relationships, by their definition and over plain values.
@testable import OfflineKit

extension NaiveRelations {
    /// The records after a delete, and how many of the asked ones there were; nil where a rule forbids it.
    func deleting(
        _ keys: [Value], of collection: String
    ) -> (records: [String: [Document]], count: Int)? {
        var removed: [String: Set<Value>] = [:]
        for record in records[collection] ?? [] {
            let key = Self.key(of: record, schema(of: collection))
            if keys.contains(key) { removed[collection, default: []].insert(key) }
        }
        let count = removed[collection]?.count ?? 0
        var size = -1
        while size != removed.values.reduce(0, { $0 + $1.count }) {
            size = removed.values.reduce(0) { $0 + $1.count }
            forEachRemoved(removed, .cascade) { _, _, relationship, related in
                removed[relationship.collection, default: []].insert(
                    Self.key(of: related, schema(of: relationship.collection)))
            }
        }
        func isLeft(_ record: Document, _ collection: String) -> Bool {
            removed[collection]?.contains(Self.key(of: record, schema(of: collection))) != true
        }
        var isForbidden = false
        forEachRemoved(removed, .restrict) { _, _, relationship, related in
            if isLeft(related, relationship.collection) { isForbidden = true }
        }
        if isForbidden { return nil }
        var result = records
        forEachRemoved(removed, .nullify) { owner, collection, relationship, related in
            if isOwn(relationship, owner) { return }
            let schema = schema(of: collection)
            let other = self.schema(of: relationship.collection)
            let key = Self.key(of: related, other)
            result[relationship.collection] = result[relationship.collection]?.map { record in
                guard Self.key(of: record, other) == key else { return record }
                return Self.removing(
                    Self.key(of: owner, schema), from: record, at: relationship.foreignKey,
                    isCompound: schema.keyPaths.count > 1)
            }
        }
        for (name, documents) in result { result[name] = documents.filter { isLeft($0, name) } }
        return (result, count)
    }

    /// Calls `body` with each removed record, its relationships with this rule, and each record related by them.
    private func forEachRemoved(
        _ removed: [String: Set<Value>], _ rule: RelationshipSchema.DeleteRule,
        _ body: (
            _ owner: Document, _ collection: String, RelationshipSchema, _ related: Document
        ) -> Void
    ) {
        for (name, keys) in removed {
            let schema = schema(of: name)
            for record in records[name] ?? [] where keys.contains(Self.key(of: record, schema)) {
                for relationship in schema.relationships where relationship.onDelete == rule {
                    for other in related(to: record, of: name, by: relationship) {
                        body(record, name, relationship, other)
                    }
                }
            }
        }
    }

    /// The record without this key at a path.
    private static func removing(
        _ key: Value, from record: Document, at path: String, isCompound: Bool
    ) -> Document {
        func isKey(_ value: Value) -> Bool {
            !value.isNull && (value.arrayValue != nil) == isCompound && value == key
        }
        func change(_ value: Value, _ path: ArraySlice<String>, isOne: Bool = false) -> Value {
            if path.isEmpty {
                if isKey(value) { return .null }
                guard !isOne, let elements = value.arrayValue else { return value }
                return .array(elements.filter { !isKey($0) })
            }
            let name = path[path.startIndex]
            if var object = value.objectValue {
                if let field = object[name] { object[name] = change(field, path.dropFirst()) }
                return .object(object)
            }
            guard var elements = value.arrayValue else { return value }
            if let position = Int(name), position < elements.count {
                elements[position] = change(elements[position], path.dropFirst(), isOne: true)
                return .array(elements)
            }
            return .array(elements.map { $0.objectValue == nil ? $0 : change($0, path) })
        }
        let parts = path.split(separator: ".").map(String.init)
        return change(.object(record), parts[...]).objectValue ?? record
    }
}
