// A change of definitions, inside a transaction: tables that come and go, index trees built in bulk.
internal import OfflineBytes
internal import OfflineEngine

#if SQLite
    /// One definition on its way.
    struct SQLiteDefinition {
        var catalog: SQLiteCatalog
        private(set) var newTrees: [TreeID] = []
        private let connection: SQLiteConnection
        private let deriver: any KeyDeriver

        init(_ catalog: SQLiteCatalog, _ connection: SQLiteConnection, _ deriver: any KeyDeriver) {
            self.catalog = catalog
            self.connection = connection
            self.deriver = deriver
        }

        /// Gives a collection its new definition and index trees; new trees are filled from its records.
        mutating func define(_ change: StoredCollection) throws {
            let id = change.id
            guard id.value > 0, id.value <= Limits.collectionIDMax else {
                throw EngineError(.limit, "a collection can't have number \(id.value)")
            }
            var collection = catalog.collections[id] ?? SQLiteCatalog.Collection(definition: [])
            if catalog.collections[id] == nil {
                for sql in SQLiteTables.creation(of: id) { try connection.execute(sql) }
                try SQLiteCatalog.writeNames(change.names, behind: 0, of: id, connection)
                collection.names = change.names
            }
            collection.definition = change.definition
            let dropped = collection.indexes.filter { !change.indexes.contains($0) }
            for index in dropped {
                let tree = TreeID(id, index)
                collection.bytes.indexBytes -= try keyBytes(of: tree)
                try connection.execute(SQLiteTables.dropping(tree))
            }
            let made = change.indexes.filter { !collection.indexes.contains($0) }
            for index in made {
                try connection.execute(SQLiteTables.creation(of: TreeID(id, index)))
            }
            collection.indexes = change.indexes.sorted()
            catalog.collections[id] = collection
            try writeIndexes(id, dropped: dropped, made: made)
            if !made.isEmpty { try build(made, of: id) }
            newTrees += made.map { TreeID(id, $0) }
            try catalog.writeCollection(id, connection)
        }

        private func writeIndexes(
            _ id: CollectionID, dropped: [UInt32], made: [UInt32]
        ) throws {
            for (indexes, verb) in [(dropped, SQLiteVerb.removeIndex), (made, .writeIndex)] {
                for index in indexes {
                    try connection.use(verb) { statement in
                        try statement.bind(1, Int64(id.value))
                        try statement.bind(2, Int64(index))
                        try statement.run()
                    }
                }
            }
        }

        /// All entries first go into a temporary table, so that each tree is filled in its own order.
        private mutating func build(_ indexes: [UInt32], of id: CollectionID) throws {
            try connection.execute(SQLiteTables.temporaryCreation)
            defer { try? connection.execute(SQLiteTables.temporaryDropping) }
            var keys = DerivedKeys()
            try connection.use(.scan(id)) { row in
                while try row.step() {
                    keys.removeAll()
                    try derive(row, of: id, into: &keys)
                    let bytes = unsafe keys.bytes.span.bytes
                    for entry in keys.entries where indexes.contains(entry.index) {
                        try connection.use(.writeTemporary) { statement in
                            try statement.bind(1, Int64(entry.index))
                            try statement.bind(2, bytes.extracting(entry.range))
                            try statement.run()
                        }
                    }
                }
            }
            for index in indexes {
                let tree = TreeID(id, index)
                try connection.use(.fill(tree)) { statement in
                    try statement.bind(1, Int64(index))
                    try statement.run()
                }
                let bytes = try keyBytes(of: tree)
                catalog.collections[id]?.bytes.indexBytes += bytes
            }
        }

        private func derive(
            _ row: SQLiteStatement, of id: CollectionID, into keys: inout DerivedKeys
        ) throws {
            let checksum = row.integer(2)
            try row.withBytes(0) { key in
                try row.withBytes(1) { record in
                    try SQLiteRecord.check(key: key, record: record, checksum)
                    try deriver.deriveKeys(of: id, key: key, record: record, into: &keys)
                }
            }
        }

        private func keyBytes(of tree: TreeID) throws -> Int64 {
            try connection.number(SQLiteTables.summing(tree)) ?? 0
        }
    }
#endif
