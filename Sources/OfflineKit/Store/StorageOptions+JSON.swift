// The JSON form of the options, with the names of the requirements: snake case, one object. An
// unknown name is an error.
public import Foundation

extension StorageOptions {
    /// The same settings as one JSON object: `database_name`, `directory`, `version`,
    /// `storage_backend`, `size_limit`,
    /// `eviction_strategy`, `encryption`, `storage_schema`, `durability`, `is_read_only`,
    /// `transaction_timeout` (seconds),
    /// `auto_compaction`.
    ///
    /// Each of `storage_schema` has `name`, `key_path` or `key_paths`, `auto_key`, `indexes`, `relationships`, `sensitive_fields`,
    /// `eviction_strategy`, `tracks_changes`, and `validation`, a JSON Schema as `CollectionSchema.validation` takes it:
    ///
    /// ```json
    /// {"name": "people", "validation": {"required": ["name"], "properties": {"age": {"minimum": 0}}}}
    /// ```
    ///
    /// `encryption_key_provider` names an entry of `keyProviders`. Throws `.invalidJSON` for text
    /// that is no JSON and
    /// `.invalidOptions`, with the name, for a setting that is unknown or of the wrong type.
    public init(json: Data, keyProviders: [String: EncryptionKeyProvider] = [:]) throws {
        var fields = OptionFields(try Document(json: json), of: "options")
        self.init(databaseName: try fields.string("database_name"))
        if let path = try fields.optionalString("directory") {
            directory = URL(fileURLWithPath: path, isDirectory: true)
        }
        version = try fields.integer("version") ?? 1
        if let name = try fields.optionalString("storage_backend") {
            storageBackend = try StorageBackendOption(named: name)
        }
        sizeLimit = try fields.integer("size_limit").map(Int64.init)
        evictionStrategy = try Self.policy(fields.value("eviction_strategy"), of: fields) ?? .none
        if let object = try fields.object("encryption") {
            encryption = try Self.encryption(object, keyProviders)
        }
        storageSchema = try (fields.objects("storage_schema") ?? []).map(Self.collection)
        if let value = fields.value("durability") {
            durability = try Self.durability(value, of: fields)
        }
        isReadOnly = try fields.flag("is_read_only") ?? false
        if let seconds = try fields.positiveNumber("transaction_timeout") {
            transactionTimeout = .seconds(min(seconds, 1e9))
        }
        autoCompaction = try fields.flag("auto_compaction") ?? true
        try fields.finish()
    }

    /// A policy as a bare name or as an object.
    private static func policy(_ value: Value?, of fields: OptionFields) throws -> EvictionPolicy? {
        guard let value else { return nil }
        if let name = value.stringValue { return try EvictionPolicy(named: name) }
        if let object = value.objectValue { return try EvictionPolicy(object) }
        throw fields.wrong("eviction_strategy", "must be a name or an object")
    }

    /// "full", "relaxed", or {"periodic": seconds}.
    private static func durability(_ value: Value, of fields: OptionFields) throws -> Durability {
        switch value.stringValue {
        case "full": return .full
        case "relaxed": return .relaxed
        default: break
        }
        guard let object = value.objectValue else {
            throw fields.wrong(
                "durability", "must be \"full\", \"relaxed\" or {\"periodic\": seconds}")
        }
        var inner = OptionFields(object, of: "durability")
        guard let seconds = try inner.positiveNumber("periodic") else {
            throw inner.missing("periodic")
        }
        try inner.finish()
        return .periodic(.seconds(min(seconds, 1e9)))
    }

    private static func encryption(
        _ document: Document, _ keyProviders: [String: EncryptionKeyProvider]
    ) throws -> EncryptionOptions {
        var fields = OptionFields(document, of: "encryption")
        let isEnabled = try fields.flag("enabled") ?? true
        let name = try fields.optionalString("encryption_key_provider")
        let sensitive = try fields.strings("sensitive_fields") ?? []
        let unsearchable = try fields.strings("unsearchable_fields") ?? []
        var algorithm = EncryptionOptions.Algorithm.xchacha20Poly1305
        if let text = try fields.optionalString("encryption_algorithm") {
            guard text != "AES-CBC" else {
                throw fields.wrong(
                    "encryption_algorithm", "is AES-CBC, which doesn't notice what was changed")
            }
            let name = text == "ChaCha20" ? "XChaCha20-Poly1305" : text
            guard let known = EncryptionOptions.Algorithm(rawValue: name) else {
                let names = EncryptionOptions.Algorithm.allCases.map(\.rawValue)
                throw fields.wrong(
                    "encryption_algorithm",
                    "is \"\(text)\"; it may be \(names.joined(separator: " or "))")
            }
            algorithm = known
        }
        try fields.finish()
        guard let name else {
            guard !isEnabled else { throw fields.missing("encryption_key_provider") }
            return .disabled
        }
        guard let provider = keyProviders[name] else {
            throw fields.wrong(
                "encryption_key_provider", "is \"\(name)\", which keyProviders doesn't have")
        }
        return EncryptionOptions(
            enabled: isEnabled, sensitiveFields: sensitive, encryptionKeyProvider: provider,
            encryptionAlgorithm: algorithm, unsearchableFields: unsearchable)
    }

    private static func collection(_ document: Document) throws -> CollectionSchema {
        let name = document["name"]?.stringValue ?? ""
        var fields = OptionFields(document, of: "collection \"\(name)\"")
        var schema = CollectionSchema(name: try fields.string("name"))
        if let paths = try keyPaths(&fields) {
            schema.keyPaths = paths
            if paths.count > 1 { schema.autoKey = .none }
        }
        if let text = try fields.optionalString("auto_key") {
            guard let known = AutoKey(named: text) else {
                throw fields.wrong(
                    "auto_key", "is \"\(text)\"; it may be none, uuid-v7 or sequence")
            }
            schema.autoKey = known
        }
        schema.indexes = try (fields.objects("indexes") ?? []).map { try index($0, in: name) }
        schema.relationships = try (fields.objects("relationships") ?? []).map {
            try relationship($0, in: name)
        }
        schema.sensitiveFields = try fields.strings("sensitive_fields") ?? []
        schema.evictionPolicy = try policy(fields.value("eviction_strategy"), of: fields)
        schema.tracksChanges = try fields.flag("tracks_changes")
        schema.validation = try fields.object("validation")
        try fields.finish()
        return schema
    }

    /// `key_path`, one path or a list of them, or `key_paths`.
    private static func keyPaths(_ fields: inout OptionFields) throws -> [String]? {
        let several = try fields.strings("key_paths")
        guard let value = fields.value("key_path") else { return several }
        guard several == nil else {
            throw fields.wrong("key_paths", "and key_path exclude each other")
        }
        if let path = value.stringValue { return [path] }
        return try fields.strings("key_path")
    }

    private static func index(_ document: Document, in collection: String) throws -> IndexSchema {
        let name = document["name"]?.stringValue ?? ""
        var fields = OptionFields(document, of: "index \"\(name)\" of collection \"\(collection)\"")
        var index = IndexSchema(name: try fields.string("name"), keyPath: "")
        guard let paths = try keyPaths(&fields) else { throw fields.missing("key_path") }
        index.keyPaths = paths
        index.isUnique = try fields.flag("unique") ?? false
        index.isMultiEntry = try fields.flag("multi_entry") ?? false
        index.collation = try fields.collation()
        index.filter = try fields.object("where").map(Filter.init)
        index.kind = try fields.indexKind()
        try fields.finish()
        return index
    }

    private static func relationship(
        _ document: Document, in collection: String
    ) throws -> RelationshipSchema {
        let name = document["name"]?.stringValue ?? ""
        var fields = OptionFields(
            document, of: "relationship \"\(name)\" of collection \"\(collection)\"")
        let type = try fields.string("type")
        guard let kind = RelationshipSchema.Kind(rawValue: type) else {
            let names = RelationshipSchema.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.wrong("type", "is \"\(type)\"; it may be \(names)")
        }
        var relationship = RelationshipSchema(
            name: try fields.string("name"), collection: try fields.string("collection"),
            type: kind, foreignKey: try fields.string("foreign_key"))
        if let text = try fields.optionalString("on_delete") {
            guard let rule = RelationshipSchema.DeleteRule(rawValue: text) else {
                throw fields.wrong("on_delete", "may be none, cascade, nullify or restrict")
            }
            relationship.onDelete = rule
        }
        try fields.finish()
        return relationship
    }
}

extension AutoKey {
    /// The name in options and in stored definitions.
    var name: String {
        switch self {
        case .none: "none"
        case .uuidV7: "uuid-v7"
        case .sequence: "sequence"
        }
    }

    init?(named name: String) {
        switch name {
        case "none": self = .none
        case "uuid-v7": self = .uuidV7
        case "sequence": self = .sequence
        default: return nil
        }
    }
}

extension Collation {
    /// The name in options and in stored definitions.
    var name: String {
        switch self {
        case .binary: "binary"
        case .caseInsensitive: "case-insensitive"
        }
    }
}

extension IndexSchema.Kind {
    /// The name in options and in stored definitions.
    var name: String {
        switch self {
        case .ordered: "ordered"
        case .fullText: "full-text"
        }
    }
}

extension OptionFields {
    /// `collation`; binary where it is missing.
    mutating func collation() throws -> Collation {
        let known: [Collation] = [.binary, .caseInsensitive]
        let name = try optionalString("collation") ?? Collation.binary.name
        guard let collation = known.first(where: { $0.name == name }) else {
            throw wrong("collation", "may be binary or case-insensitive")
        }
        return collation
    }

    /// An index's `type`; ordered where it is missing.
    mutating func indexKind() throws -> IndexSchema.Kind {
        let known: [IndexSchema.Kind] = [.ordered, .fullText]
        let name = try optionalString("type") ?? IndexSchema.Kind.ordered.name
        guard let kind = known.first(where: { $0.name == name }) else {
            throw wrong("type", "may be ordered or full-text")
        }
        return kind
    }
}
