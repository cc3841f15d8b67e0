// One index as the store works with it: what its entries are made of, parsed.

/// One index of an open store.
final class IndexState: Sendable {
    /// Its tree's number within the collection; never 0.
    let number: UInt32
    let name: String
    let schema: IndexSchema
    /// The paths, the most significant first.
    let paths: [FieldPath]
    let isUnique: Bool
    /// An entry for each distinct element.
    let isMultiEntry: Bool
    /// An entry for each distinct word.
    let isFullText: Bool
    let collation: Collation
    /// What holds of the records that have entries; nil: all have.
    let condition: Condition?

    init(number: UInt32, schema: IndexSchema) throws(OfflineError) {
        self.number = number
        name = schema.name
        self.schema = schema
        var paths: [FieldPath] = []
        for path in schema.keyPaths { paths.append(try FieldPath(path)) }
        self.paths = paths
        isUnique = schema.isUnique
        isMultiEntry = schema.isMultiEntry
        isFullText = schema.kind == .fullText
        collation = schema.collation
        condition = try schema.filter.map(IndexState.condition)
    }

    /// The condition of a partial index. Throws `.invalidQuery`.
    static func condition(_ filter: Filter) throws(OfflineError) -> Condition {
        do {
            return try FilterParser.parse(filter)
        } catch let error as OfflineError {
            throw error
        } catch {
            throw OfflineError(.invalidQuery, "\(error)")
        }
    }

    /// Whether strings are folded; the value as it is then follows the folded one in an entry.
    var isFolded: Bool { collation == .caseInsensitive }

    /// How many encoded values an entry has before the record's key.
    var valueCount: Int { isFolded ? 2 : isFullText ? 1 : paths.count }

    /// How many of them decide whether two records have the same values.
    var comparedCount: Int { isFolded ? 1 : valueCount }
}
