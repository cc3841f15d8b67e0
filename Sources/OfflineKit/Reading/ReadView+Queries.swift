// What a store, a snapshot and a transaction let callers read.

extension ReadView {
    /// The record with this key and what it includes; nil where there is none.
    func get(_ collection: String, _ key: Value, include: [Include]) throws -> Document? {
        let state = try self.collection(collection)
        guard include.isEmpty, access == nil else {
            let document = try QueryEngine(self).get(collection, key, include: include)
            if let document { noteReads([document], of: state) }
            return document
        }
        let encoded = try RecordKeys.encoded(key, of: state)
        guard let document = try document(state, key: encoded) else { return nil }
        noteRead(state, key: encoded)
        return document
    }

    /// The records that the query describes, in its order.
    func query(_ collection: String, _ query: Query) throws -> [Document] {
        let documents = try QueryEngine(self).query(collection, query)
        noteReads(documents, of: try self.collection(collection))
        return documents
    }

    /// How many records match.
    func count(_ collection: String, _ filters: Filter) throws -> Int {
        try QueryEngine(self).count(collection, filters)
    }

    /// The distinct values of a field.
    func distinct(_ collection: String, _ field: String, _ filters: Filter) throws -> [Value] {
        try QueryEngine(self).distinct(collection, field, filters)
    }

    /// The figures of the records that match.
    func aggregate(_ collection: String, _ aggregation: Aggregation) throws -> [Document] {
        try QueryEngine(self).aggregate(collection, aggregation)
    }

    /// How a query would run, or, with `analyze`, has run.
    func explain(_ collection: String, _ query: Query, analyze: Bool) throws -> QueryPlan {
        if access != nil { return try sessionPlan(collection, query, analyze: analyze) }
        return try QueryEngine(self).explain(collection, query, analyze: analyze)
    }
}
