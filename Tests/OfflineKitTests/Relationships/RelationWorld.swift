// Random collections that refer to each other in every way: by keys, arrays of keys, fields inside arrays and objects, keys that
// nobody has; and what relationships mean there, by their definition.
import Foundation

@testable import OfflineKit

/// Three collections with random relationships.
struct RelationWorld {
    static let names = ["a", "b", "c"]
    private static let paths = ["p", "p", "q", "x.r", "l.r", "p.0"]

    var random: QueryRandom
    let schema: [CollectionSchema]
    /// Each collection's records.
    private(set) var records: [String: [Document]] = [:]

    init(seed: UInt64, hasRules: Bool = false) {
        var random = QueryRandom(seed: seed)
        let compound = random.chance(30) ? random.pick(RelationWorld.names) : ""
        let scale = random.pick([3, 6, 12])
        schema = RelationWorld.names.map { name in
            RelationWorld.collection(name, isCompound: name == compound, hasRules, &random)
        }
        for name in RelationWorld.names {
            records[name] = (0..<random.pick([0, scale / 2, scale, scale])).map { number in
                RelationWorld.record(number, name == compound, scale, &random)
            }
        }
        self.random = random
    }

    func schema(of name: String) -> CollectionSchema {
        schema.first { $0.name == name } ?? schema[0]
    }

    private static func collection(
        _ name: String, isCompound: Bool, _ hasRules: Bool, _ random: inout QueryRandom
    ) -> CollectionSchema {
        var schema =
            isCompound
            ? CollectionSchema(name: name, keyPaths: ["k", "id"]) : CollectionSchema(name: name)
        for path in Set(paths).sorted() where random.chance(40) {
            let name = "\(path) \(schema.indexes.count)"
            schema.indexes.append(
                random.pick([
                    IndexSchema(name: name, keyPath: path), IndexSchema(name: name, keyPath: path),
                    IndexSchema(name: name, keyPaths: [path, "v"]),
                    IndexSchema(name: name, keyPath: path, multiEntry: true),
                    IndexSchema(name: name, keyPath: path, multiEntry: true),
                    IndexSchema(name: name, keyPath: path, collation: .caseInsensitive),
                    IndexSchema(name: name, keyPath: path, where: ["v": ["$gte": 2]]),
                ]))
        }
        schema.relationships = (0..<3).map { number in
            RelationshipSchema(
                name: "r\(number)", collection: random.pick(names),
                type: random.pick([.oneToOne, .oneToMany, .oneToMany, .manyToOne, .manyToMany]),
                foreignKey: random.pick(paths),
                onDelete: hasRules
                    ? random.pick([
                        .none, .none, .cascade, .cascade, .nullify, .nullify, .nullify, .nullify,
                        .restrict,
                    ])
                    : .none)
        }
        return schema
    }

    private static func record(
        _ number: Int, _ isCompound: Bool, _ scale: Int, _ random: inout QueryRandom
    ) -> Document {
        func key() -> Value {
            let number = Int64(random.below(scale + 1))
            switch random.below(6) {
            case 0: return .array([.int(number % 2), .int(number)])
            case 1: return .double(Double(number))
            default: return .int(number)
            }
        }
        func reference() -> Value {
            switch random.below(8) {
            case 0: return .null
            case 1: return "nobody"
            case 2, 3: return .array((0..<random.below(4)).map { _ in key() })
            default: return key()
            }
        }
        var record: Document = ["id": .int(Int64(number))]
        if isCompound { record["k"] = .int(Int64(number % 2)) }
        record["v"] = .int(Int64(random.below(4)))
        for name in ["p", "q"] where random.chance(75) { record[name] = reference() }
        if random.chance(70) { record["x"] = ["r": reference()] }
        if random.chance(70) {
            record["l"] = .array(
                (0..<random.below(3)).map { _ in
                    random.chance(80) ? ["r": reference(), "s": 1] : ["s": 2]
                })
        }
        // An own field that an include may hide.
        if random.chance(20) { record["r1"] = "own" }
        return record
    }

    // MARK: Queries

    /// What to include in records of `collection`, with nested ones.
    mutating func includes(of collection: String, depth: Int = 1) -> [Include] {
        var includes: [Include] = []
        for relationship in schema(of: collection).relationships where random.chance(60) {
            let nested =
                depth < 3 && random.chance(50)
                ? self.includes(of: relationship.collection, depth: depth + 1) : []
            // Named on the way to a nested one only, it is included whole.
            if nested.isEmpty || random.chance(60) {
                includes.append(
                    Include(
                        relationship.name,
                        filters: random.chance(40)
                            ? ["v": ["$gte": .int(Int64(random.below(4)))]] : .all,
                        sort: sort(), limit: random.chance(40) ? random.below(4) : nil))
            }
            includes += nested.map { include in
                var include = include
                include.path = "\(relationship.name).\(include.path)"
                return include
            }
        }
        return includes.shuffled(using: &random)
    }

    private mutating func sort() -> [Sort] {
        (0..<random.pick([0, 0, 1, 2])).map { _ in
            Sort(
                field: random.pick(["v", "p", "id", "x.r"]),
                direction: random.pick([.ascending, .descending]))
        }
    }
}

/// What relationships mean, over plain values.
struct NaiveRelations {
    let schema: [CollectionSchema]
    /// Each collection's records, in whatever order.
    var records: [String: [Document]]

    func schema(of name: String) -> CollectionSchema {
        schema.first { $0.name == name } ?? schema[0]
    }

    static func key(of record: Document, _ schema: CollectionSchema) -> Value {
        let parts = schema.keyPaths.map { record[$0] ?? .null }
        return parts.count == 1 ? parts[0] : .array(parts)
    }

    /// The keys that a field refers to.
    static func references(in record: Document, _ path: String, isCompound: Bool) -> [Value] {
        func isKey(_ value: Value) -> Bool {
            !value.isNull && (value.arrayValue != nil) == isCompound
        }
        return NaiveQuery.find(path, in: record).flatMap { found -> [Value] in
            guard let value = found.value else { return [] }
            let elements = found.isOne ? [] : value.arrayValue ?? []
            return ([value] + elements).filter(isKey)
        }
    }

    /// Whether the foreign key of this record's relationship is its own.
    func isOwn(_ relationship: RelationshipSchema, _ record: Document) -> Bool {
        switch relationship.type {
        case .oneToMany: false
        case .manyToOne, .manyToMany: true
        case .oneToOne: !ownReferences(relationship, record).isEmpty
        }
    }

    private func ownReferences(_ relationship: RelationshipSchema, _ record: Document) -> [Value] {
        Self.references(
            in: record, relationship.foreignKey,
            isCompound: schema(of: relationship.collection).keyPaths.count > 1)
    }

    /// The records on the other side.
    func related(
        to record: Document, of collection: String, by relationship: RelationshipSchema
    ) -> [Document] {
        let others = records[relationship.collection] ?? []
        let other = schema(of: relationship.collection)
        if isOwn(relationship, record) {
            let keys = ownReferences(relationship, record)
            return others.filter { keys.contains(Self.key(of: $0, other)) }
        }
        let key = Self.key(of: record, schema(of: collection))
        let isCompound = schema(of: collection).keyPaths.count > 1
        return others.filter {
            Self.references(in: $0, relationship.foreignKey, isCompound: isCompound).contains(key)
        }
    }

    /// The record with what it includes in the place of its own fields of these names.
    func including(_ includes: [Include], in record: Document, of collection: String) -> Document {
        var result = record
        for relationship in schema(of: collection).relationships {
            let name = relationship.name
            let asked = includes.first { $0.path == name }
            let nested = includes.filter { $0.path.hasPrefix(name + ".") }.map { include in
                var include = include
                include.path.removeFirst(name.count + 1)
                return include
            }
            if asked == nil, nested.isEmpty { continue }
            let isOne = [.oneToOne, .manyToOne].contains(relationship.type)
            let found = NaiveQuery.run(
                related(to: record, of: collection, by: relationship),
                keyPaths: schema(of: relationship.collection).keyPaths,
                filter: (asked?.filters ?? .all).document, sort: asked?.sort ?? [],
                limit: isOne ? min(asked?.limit ?? 1, 1) : asked?.limit
            ).map { including(nested, in: $0, of: relationship.collection) }
            result[name] =
                isOne
                ? found.first.map(Value.object) ?? .null : .array(found.map(Value.object))
        }
        return result
    }
}
