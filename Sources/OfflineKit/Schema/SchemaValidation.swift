// Every rule that a schema must keep, each with the message it gives: `.invalidOptions`, naming the
// collection, the index or relationship, and the option.
//
// Limits, and why: names 100 characters (they are in messages, definitions and file dumps); 32
// paths a key or index (IndexKeys.pathCountMax); 64 indexes a collection (each write visits all of
// them).

/// Checks collections as an application describes them.
struct SchemaValidation {
    static let nameLengthMax = 100
    static let indexCountMax = 64

    let collection: CollectionSchema
    /// Names of all collections of the store, of this schema and stored ones; nil: not known yet.
    private let known: Set<String>?

    /// Checks the collections, and that what they refer to is among them or `stored`, the names of
    /// stored ones. Nil: what is stored isn't known yet.
    static func check(_ collections: [CollectionSchema], stored: [String]?) throws(OfflineError) {
        var names: Set<String> = []
        for collection in collections where !names.insert(collection.name).inserted {
            throw OfflineError(
                .invalidOptions, "storageSchema has the collection \"\(collection.name)\" twice")
        }
        for collection in collections {
            try SchemaValidation(collection: collection, known: stored.map(names.union)).check()
        }
    }

    private func check() throws(OfflineError) {
        if let problem = Self.problem(inName: collection.name, reserved: "_") {
            throw OfflineError(
                .invalidOptions,
                "storageSchema: the collection name \"\(collection.name)\" \(problem)")
        }
        try check(paths: collection.keyPaths, "keyPath")
        if collection.keyPaths.count > 1, collection.autoKey != .none {
            throw invalid("autoKey can't fill a compound key: it must be .none")
        }
        guard collection.indexes.count <= Self.indexCountMax else {
            throw invalid(
                "has \(collection.indexes.count) indexes; \(Self.indexCountMax) are allowed")
        }
        try checkAccessPolicy()
        if let validation = collection.validation {
            do throws(OfflineError) {
                _ = try SchemaProgram(validation)
            } catch {
                throw invalid(error.message)
            }
        }
        if let problem = collection.evictionPolicy?.problem {
            throw invalid("evictionPolicy \(problem)")
        }
        var names: Set<String> = []
        for index in collection.indexes {
            if !names.insert(index.name).inserted {
                throw invalid("has index \"\(index.name)\" twice")
            }
            try check(index)
        }
        let fullText = collection.indexes.filter { $0.kind == .fullText }
        if fullText.count > 1 {
            throw invalid(
                "has \(fullText.count) full-text indexes, \"\(fullText[0].name)\" and "
                    + "\"\(fullText[1].name)\" among them; one is allowed")
        }
        names = []
        for relationship in collection.relationships {
            if !names.insert(relationship.name).inserted {
                throw invalid("has relationship \"\(relationship.name)\" twice")
            }
            try check(relationship)
        }
    }

    private func check(_ relationship: RelationshipSchema) throws(OfflineError) {
        if let problem = Self.problem(inName: relationship.name) {
            throw invalid("relationship name \"\(relationship.name)\" \(problem)")
        }
        let name = "relationship \"\(relationship.name)\": "
        if relationship.name.contains(".") || relationship.name.hasPrefix("$") {
            throw invalid("\(name)the name has a dot or begins with $, so no include could name it")
        }
        if let known, !known.contains(relationship.collection) {
            throw invalid(
                "\(name)collection \"\(relationship.collection)\" isn't in the schema; there are "
                    + known.sorted().joined(separator: ", "))
        }
        try check(paths: [relationship.foreignKey], "\(name)foreignKey")
    }

    func check(paths: [String], _ option: String) throws(OfflineError) {
        guard !paths.isEmpty else { throw invalid("\(option) names no path") }
        guard paths.count <= IndexKeys.pathCountMax else {
            throw invalid(
                "\(option) names \(paths.count) paths; \(IndexKeys.pathCountMax) are allowed")
        }
        if Set(paths).count < paths.count { throw invalid("\(option) names a path twice") }
        for path in paths {
            do throws(OfflineError) {
                _ = try FieldPath(path)
            } catch {
                throw invalid("\(option) \"\(path)\": \(error.message)")
            }
        }
    }

    /// What is wrong with a name; nil if nothing is.
    static func problem(inName name: String, reserved: String? = nil) -> String? {
        if name.isEmpty { return "is empty" }
        if name.count > nameLengthMax {
            return "has \(name.count) characters; \(nameLengthMax) are allowed"
        }
        if name.utf8.contains(0) { return "has a NUL in it" }
        if let reserved, name.hasPrefix(reserved) {
            return "begins with \(reserved), which is kept for the store's own"
        }
        return nil
    }

    func invalid(_ problem: String) -> OfflineError {
        OfflineError(
            .invalidOptions, "collection \"\(collection.name)\": \(problem)",
            collection: collection.name)
    }
}
